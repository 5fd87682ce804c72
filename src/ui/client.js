/**
 * The Crewline client: one line that comes back by itself, shows every change
 * once and in order, and keeps what you send until it has arrived.
 *
 *   import { CrewlineClient } from "/ui/client.js";
 *
 *   const client = new CrewlineClient({
 *     getToken: async () => (await fetch("/my-backend/crewline-token")).text(),
 *   });
 *   client.addEventListener("change", ({ detail: record }) => console.log(record.kind, record));
 *   client.addEventListener("state", ({ detail }) => console.log(detail.state));
 *   client.connect();
 *   client.send({ text: "The leak is back" });        // staff add `thread` and `seen`
 *
 * Load on `welcome` with `fresh: true` (the first one, and after a `reset`):
 * from then on every change comes, and a snapshot's `as_of` says which of them
 * it already holds. After a mere reconnect nothing needs to be loaded again.
 *
 * Its events are in client/events.js, the records in client/wire.js.
 */
/**
 * @import { Draft } from "./client/drafts.js"
 * @import { Events, State } from "./client/events.js"
 * @import { Options } from "./client/options.js"
 * @import { Outgoing } from "./client/outbox.js"
 * @import {
 *   Badge, Entry, From, Limits, Org, Page, ServerFrame, Who, You,
 * } from "./client/wire.js"
 */
import { CrewlineError } from "./client/api.js";
import { Drafts } from "./client/drafts.js";
import { Leaving } from "./client/leaving.js";
import { Line } from "./client/line.js";
import { Marks } from "./client/marks.js";
import { localStorageIfAny } from "./client/options.js";
import { Outbox, uuid } from "./client/outbox.js";
import { Presence } from "./client/presence.js";
import { Questions } from "./client/questions.js";
import { Requests } from "./client/requests.js";
import { Timers } from "./client/timers.js";
import { Tokens, personKey } from "./client/token.js";
import { Typing } from "./client/typing.js";

export { CrewlineError };

/** A change may be a moment behind the `pong` that tells of it. */
const HEAD_GRACE_MS = 3_000;

export class CrewlineClient extends Requests {
  /** @type {State} */
  state = "offline";
  /** Why it is signed out. @type {"token" | "forbidden" | null} */
  reason = null;
  /** Who this is, as the server says; null before the first welcome. @type {You | null} */
  you = null;
  /** The business: its name and, if it has one, its colour. @type {Org | null} */
  org = null;
  /** The last number of the own view that was applied. @type {number | null} */
  cursor = null;
  /** @type {string | null} */
  log = null;
  /** @type {Limits} */
  limits = { text_chars: 4000, photos: 5 };
  /** @type {Badge | null} */
  badge = null;
  /** Who is here, for staff. */
  presence = new Presence(this);

  /** @type {string | null} */
  #person = null;
  #welcomed = false;
  #timers = new Timers();
  #leaving = new Leaving(() => this.#letGo());
  #marks = new Marks((frame) => this.#line.send(frame));
  #typing = new Typing((thread, on, internal) => this.#line.send({ type: "typing", thread: this.#named(thread), on, internal }));
  #line;
  #questions;
  #outbox;
  #drafts;
  #tokens;

  /** @param {Options} options */
  constructor(options = {}) {
    super(options, (refused) => this.#tokens.current(refused));
    const { token, getToken, random, storage = localStorageIfAny() } = options;
    this.#outbox = new Outbox(storage, random);
    this.#drafts = new Drafts(storage);
    this.#questions = new Questions((frame) => this.#line.send(frame), random);
    this.#tokens = new Tokens({ token, getToken, onPerson: (person) => this.#isFor(person) });
    this.#line = new Line(this.#tokens, {
      hello: () => (this.cursor === null ? {} : { cursor: this.cursor, log: this.log }),
      frame: (frame) => this.#hear(frame),
      state: (state, reason) => {
        this.reason = reason ?? null;
        this.#setState(state);
      },
      down: () => this.#down(),
      over: (reason) => this.#over(reason),
    }, options);
  }

  /** What is on its way out, oldest first. @returns {Outgoing[]} */
  get outbox() {
    return [...this.#outbox.entries];
  }

  connect() {
    globalThis.addEventListener?.("storage", this.#otherTab);
    this.#leaving.watch();
    this.#line.open();
  }

  /** A newer token: of the same person it is shown at once, so that the line need not break; another one gets a line of their own. @param {string} token */
  renew(token) {
    if (!this.#tokens.renew(token)) return;
    if (this.#welcomed) this.#line.send({ type: "token", token });
    else if (this.state === "signed-out") this.connect();
  }

  /** Leaves for good, or until `connect`. What is queued stays in the storage; what could be taken back goes. */
  close() {
    this.#letGo();
    this.#line.close();
    this.#farewell();
  }

  /**
   * Queues a message (or note) and sends it as soon as the line allows.
   * @param {{thread?: string, text: string, internal?: boolean, seen?: number, photos?: string[], hold?: number}} message
   *   `seen`: the last seq that the writer had in view; without it nothing is `stale`. `hold`: so many ms it
   *   can be taken back; it goes before that when the next one is sent, or the page is left or out of sight
   * @returns {string} its id, which is the id of the record to come
   */
  send(message) {
    const { id } = this.#outbox.add(message);
    this.#flush();
    return id;
  }

  /** One that is still held back does not go at all. @param {string} id @returns {Outgoing | null} null: too late */
  takeBack(id) {
    const entry = this.#outbox.takeBack(id);
    if (entry) this.#flush();
    return entry;
  }

  /** What was begun in a thread and not sent. @param {string | undefined} thread */
  draft(thread) {
    return this.#drafts.of(thread);
  }

  /** An empty one is forgotten. @param {string | undefined} thread @param {Draft} draft */
  keepDraft(thread, draft) {
    this.#drafts.keep(thread, draft);
  }

  /** Sends a refused or stale message again, as it is. @param {string} id @param {number} [seen] the last seq that its writer has in view now */
  retry(id, seen) {
    if (this.#outbox.retry(id, seen)) this.#flush();
  }

  /** Drops a message that was refused, is stale, or is still waiting for the line. @param {string} id */
  discard(id) {
    if (this.#outbox.remove(id)) this.#flush();
  }

  /** This device has the thread's messages up to the seq `upTo`. @param {string | undefined} thread @param {number} upTo */
  received(thread, upTo) {
    this.#marks.want("received", this.#named(thread), upTo);
  }

  /** The person has read them. @param {string | undefined} thread @param {number} upTo */
  read(thread, upTo) {
    this.#marks.want("read", this.#named(thread), upTo);
  }

  /**
   * Call it on every keystroke: it goes out at most every 3 s, and never late.
   * @param {string | undefined} thread
   * @param {boolean} on
   * @param {boolean} [internal]
   */
  typing(thread, on, internal = false) {
    this.#typing.say(thread, on, internal);
  }

  /** Staff: which thread is on screen, or null. It holds for 25 s: repeat it every 10 s. @param {string | null} thread */
  viewing(thread) {
    return this.#line.send({ type: "viewing", thread });
  }

  /**
   * Staff: nothing in the thread up to `seen` waits for an answer.
   * @param {string} thread
   * @param {number} seen
   * @returns {boolean} false while offline
   */
  handled(thread, seen) {
    return this.#line.send({ type: "handled", thread, seen });
  }

  /**
   * A page of the thread, newest first. Asked while offline, it is answered later.
   * @param {string | undefined} thread
   * @param {{before?: number, after?: number, around?: number, limit?: number}} [range] one of the first three at most
   * @returns {Promise<Page>}
   */
  history(thread, { before, after, around, limit } = {}) {
    return this.#questions.ask({ type: "history", id: uuid(), thread: this.#named(thread), before, after, around, limit });
  }

  /** Whether `from` of a record is the person whose client this is. @param {From | Who | string | null | undefined} from */
  isMe(from) {
    if (!from || typeof from === "string" || !this.you || from.kind !== this.you.role) return false;
    return from.kind === "customer" || from.sub === this.you.sub;
  }

  /** A record's number in the own view. @param {{ rev?: number, seq?: number }} record @returns {number} */
  numberOf(record) {
    return /** @type {number} */ (this.you?.role === "customer" ? record.seq : record.rev);
  }

  /** @param {ServerFrame} frame */
  #hear(frame) {
    const hearing = /** @type {Record<string, ((frame: ServerFrame) => void) | undefined>} */ (this.#hearing);
    hearing[frame.type]?.(frame);
  }

  /** @type {{ [Type in ServerFrame["type"]]: (frame: Extract<ServerFrame, { type: Type }>) => void }} */
  #hearing = {
    welcome: ({ you, org = null, cursor, log, limits, heartbeat_ms }) => {
      const fresh = this.cursor === null;
      Object.assign(this, { you, org, log, limits: limits ?? this.limits, cursor: this.cursor ?? cursor });
      this.#welcomed = true;
      this.#line.welcomed(heartbeat_ms);
      this.#keepFor(personKey(you));
      this.#questions.askAgain();
      this.#setState("catching-up");
      this.#emit("welcome", { you, org, fresh });
      this.#marks.flush();
      this.#flush();
    },

    change: ({ type, ...record }) => {
      const number = this.numberOf(record);
      if (this.cursor === null || number <= this.cursor) return;
      if (number !== this.cursor + 1) return this.#line.again();
      this.cursor = number;
      this.#arrived([record]);
      this.#emit("change", record);
    },

    caught_up: ({ cursor }) => {
      if (cursor !== this.cursor) return this.#line.again();
      this.#setState("live");
      this.#emit("caught-up", { cursor });
    },

    badge: ({ type, ...badge }) => {
      if (badge.as_of < (this.badge?.as_of ?? 0)) return;
      this.badge = badge;
      this.#emit("badge", badge);
    },

    ack: ({ id, rev, seq }) => {
      if (this.#outbox.acknowledged(id, this.numberOf({ rev, seq }), this.cursor ?? 0)) this.#flush();
    },

    page: ({ type, id, ...page }) => {
      this.#arrived(page.records);
      this.#questions.answer(id, page);
    },

    error: ({ type, ...error }) => {
      if (this.#questions.refuse(error)) return;
      if (this.#outbox.refused(error.id, error)) return this.#flush();
      this.#emit("error", error);
    },

    reset: ({ reason }) => {
      this.#forget(reason);
      if (this.#welcomed) this.#line.again();
    },

    pong: ({ head }) => {
      const isBehind = () => head > (this.cursor ?? Infinity);
      if (isBehind()) this.#timers.set("head", HEAD_GRACE_MS, () => this.state === "live" && isBehind() && this.#line.again());
    },

    expiring: () => {
      // If none is to be had now, the close with 4401 asks again.
      this.#tokens.newer().then((token) => token && this.#line.send({ type: "token", token }), () => {});
    },

    bye: ({ retry_after_ms }) => this.#line.comeBackAfter(retry_after_ms ?? 0),
    viewing: ({ type, ...viewing }) => this.#emit("viewing", viewing),
    typing: ({ type, ...typing }) => this.#emit("typing", typing),
    presence: ({ type, ...presence }) => this.#emit("presence", presence),
  };

  /** Own messages that show up in the log are no longer on their way. @param {Entry[]} records */
  #arrived(records) {
    const own = records.filter((record) => record.id && this.isMe(record.from) && this.#outbox.remove(record.id));
    if (own.length > 0) this.#flush();
    for (const { kind, mark, thread, up_to, side, by } of records) {
      if (kind !== "receipt" || (side === "customer") !== (this.you?.role === "customer")) continue;
      if (mark === "delivered") this.#marks.confirmed("received", this.#named(thread), up_to);
      else if (side === "customer" || this.isMe(by)) this.#marks.confirmed("read", this.#named(thread), up_to);
    }
  }

  #flush() {
    const now = Date.now();
    const held = this.#outbox.ripen(now);
    if (held < Infinity) this.#timers.set("held", held - now, () => this.#flush());
    if (this.#welcomed) {
      for (const entry of this.#outbox.take(now)) this.#line.send(this.#outbox.frame(entry));
      const due = this.#outbox.nextDue(now);
      if (due < Infinity) this.#timers.set("outbox", due - now, () => this.#flush());
    }
    this.#emit("outbox", { entries: this.outbox });
  }

  #down() {
    this.#welcomed = false;
    this.#typing.lost();
    this.#timers.clear();
    this.#marks.lost();
    this.#outbox.lost();
    this.#flush();
  }

  /** @param {"token" | "forbidden"} reason */
  #over(reason) {
    this.#farewell();
    this.#emit("signed-out", { reason });
  }

  #farewell() {
    globalThis.removeEventListener?.("storage", this.#otherTab);
    this.#leaving.unwatch();
    this.#questions.giveUp("closed", "the client has left");
  }

  /** Knows whose the queue is before the server has said so, even offline. @param {string} person */
  #isFor(person) {
    if (person === this.#person) return;
    const another = this.#person !== null;
    this.#person = person;
    // The line is the first one's as long as it lives: nothing of the second one's may go there.
    if (another) this.#line.again();
    this.#keepFor(person);
    if (another) this.#forget("person");
  }

  /** @param {string} person */
  #keepFor(person) {
    this.#outbox.open(person);
    this.#drafts.open(person);
  }

  /** @param {Events["reset"]["reason"]} reason */
  #forget(reason) {
    this.cursor = this.log = this.badge = null;
    this.#marks.forget();
    this.#outbox.forgetSent();
    this.#questions.giveUp("reset", "everything is to be loaded afresh");
    this.#emit("reset", { reason });
    this.#flush();
  }

  #otherTab = /** @param {StorageEvent} event */ ({ key, newValue }) => {
    if (key && newValue === null && this.#outbox.removedElsewhere(key)) this.#flush();
  };

  /** Nothing is held back any more. */
  #letGo() {
    if (this.#outbox.letGo()) this.#flush();
  }

  /** A customer has one thread and does not name it. @param {string | undefined} thread */
  #named(thread) {
    return this.you?.role === "customer" ? undefined : thread;
  }

  /** @param {State} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.#emit("state", { state });
  }

  /** @template {keyof Events} Type @param {Type} type @param {Events[Type]} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
