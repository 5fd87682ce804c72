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
 * Events, with what `detail` holds:
 *   state       {state}: connecting, catching-up, live, offline, signed-out
 *   welcome     {you, org, fresh}
 *   change      the record, each once and in order
 *   caught-up   {cursor}
 *   badge       {unread, new?, waiting?, as_of}, never older than the last
 *   typing      {thread, who, on}
 *   viewing     {thread, who}: who of the team has which thread open, or (null) none
 *   presence    {online, offline}
 *   outbox      {entries}: what is on its way out, see outbox.js
 *   reset       {reason}: forget everything that was loaded
 *   signed-out  {reason}: "token" or "forbidden"; the client has given up
 *   error       {code, message, retry}: about a frame that has no id
 */
import { CrewlineError } from "./client/api.js";
import { Drafts } from "./client/drafts.js";
import { Line } from "./client/line.js";
import { Marks } from "./client/marks.js";
import { Outbox, uuid } from "./client/outbox.js";
import { Questions } from "./client/questions.js";
import { Requests } from "./client/requests.js";
import { Timers } from "./client/timers.js";
import { Tokens, personKey } from "./client/token.js";

export { CrewlineError };

/** A change may be a moment behind the `pong` that tells of it. */
const HEAD_GRACE_MS = 3_000;
const TYPING_MS = 3_000;

/**
 * @typedef {object} Options
 * @property {string} [url] of the socket; by default `/v1/ws` of this page's host
 * @property {string} [http] base of the HTTP API; by default this page's host
 * @property {string} [token] the first token; without `getToken` also the last
 * @property {() => Promise<string | null>} [getToken] a new token, or null if the person is gone
 * @property {Storage} [storage] for the outgoing queue; by default localStorage
 * @property {typeof WebSocket} [WebSocket] for tests, as are the next two
 * @property {() => number} [random]
 * @property {typeof fetch} [fetch]
 */

export class CrewlineClient extends Requests {
  /** @type {"offline" | "connecting" | "catching-up" | "live" | "signed-out"} */
  state = "offline";
  /** Who this is, as the server says; null before the first welcome. */
  you = null;
  /** The business: its name and, if it has one, its colour. @type {{name: string, color?: string} | null} */
  org = null;
  /** The last number of the own view that was applied. */
  cursor = null;
  log = null;
  limits = { text_chars: 4000, photos: 5 };
  badge = null;

  #person = null;
  #welcomed = false;
  #typing = null;
  #timers = new Timers();
  #marks = new Marks((frame) => this.#line.send(frame));
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
      frame: (frame) => this.#hearing[frame.type]?.(frame),
      state: (state) => this.#setState(state),
      down: () => this.#down(),
      over: (reason) => this.#over(reason),
    }, options);
  }

  /** What is on its way out, oldest first. @returns {import("./client/outbox.js").Outgoing[]} */
  get outbox() {
    return [...this.#outbox.entries];
  }

  connect() {
    globalThis.addEventListener?.("storage", this.#otherTab);
    for (const [target, type] of GOODBYES) target.addEventListener(type, this.#goodbye);
    this.#line.open();
  }

  /** A newer token of the same person: it is shown at once, so that the line need not break. */
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

  /** One that is still held back does not go at all. @returns {import("./client/outbox.js").Outgoing | null} null: too late */
  takeBack(id) {
    const entry = this.#outbox.takeBack(id);
    if (entry) this.#flush();
    return entry;
  }

  /** What was begun in a thread and not sent. @param {string | undefined} thread */
  draft(thread) {
    return this.#drafts.of(thread);
  }

  /** An empty one is forgotten. @param {string | undefined} thread @param {import("./client/drafts.js").Draft} draft */
  keepDraft(thread, draft) {
    this.#drafts.keep(thread, draft);
  }

  /** Sends a refused or stale message again, as it is. */
  retry(id) {
    if (this.#outbox.retry(id)) this.#flush();
  }

  /** Drops a message that was refused, is stale, or is still waiting for the line. */
  discard(id) {
    if (this.#outbox.remove(id)) this.#flush();
  }

  /** This device has the thread's messages up to the seq `upTo`. */
  received(thread, upTo) {
    this.#marks.want("received", this.#named(thread), upTo);
  }

  /** The person has read them. */
  read(thread, upTo) {
    this.#marks.want("read", this.#named(thread), upTo);
  }

  /** Call it on every keystroke: it goes out at most every 3 s, and never late. */
  typing(thread, on, internal = false) {
    const now = Date.now();
    const same = this.#typing !== null && this.#typing.thread === thread && this.#typing.internal === internal;
    if (on ? same && now - this.#typing.at < TYPING_MS : !same) return;
    const said = this.#line.send({ type: "typing", thread: this.#named(thread), on, internal: internal || undefined });
    this.#typing = on && said ? { thread, internal, at: now } : null;
  }

  /** Staff: which thread is on screen, or null. It holds for 25 s: repeat it every 10 s. */
  viewing(thread) {
    return this.#line.send({ type: "viewing", thread });
  }

  /** Staff: nothing in the thread up to `seen` waits for an answer. @returns {boolean} false while offline */
  handled(thread, seen) {
    return this.#line.send({ type: "handled", thread, seen });
  }

  /**
   * A page of the thread, newest first. Asked while offline, it is answered later.
   * @param {string | undefined} thread
   * @param {{before?: number, limit?: number}} [range]
   * @returns {Promise<{records: object[], before: number | null, as_of: number}>}
   */
  history(thread, { before, limit } = {}) {
    return this.#questions.ask({ type: "history", id: uuid(), thread: this.#named(thread), before, limit });
  }

  /** Whether `from` of a record is the person whose client this is. */
  isMe(from) {
    if (!from || !this.you || from.kind !== this.you.role) return false;
    return from.kind === "customer" || from.sub === this.you.sub;
  }

  /** A record's number in the own view. */
  numberOf(record) {
    return this.you.role === "customer" ? record.seq : record.rev;
  }

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
      if (number <= this.cursor) return;
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
      if (this.#outbox.acknowledged(id, this.numberOf({ rev, seq }), this.cursor)) this.#flush();
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
      if (head > this.cursor) this.#timers.set("head", HEAD_GRACE_MS, () => this.#mustHaveReached(head));
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

  /** Own messages that show up in the log are no longer on their way. */
  #arrived(records) {
    const own = records.filter((record) => record.id && this.isMe(record.from) && this.#outbox.remove(record.id));
    if (own.length > 0) this.#flush();
    for (const { kind, mark, thread, up_to, side, by } of records) {
      if (kind !== "receipt" || (side === "customer") !== (this.you.role === "customer")) continue;
      if (mark === "delivered") this.#marks.confirmed("received", this.#named(thread), up_to);
      else if (side === "customer" || this.isMe(by)) this.#marks.confirmed("read", this.#named(thread), up_to);
    }
  }

  #mustHaveReached(head) {
    if (this.state === "live" && this.cursor < head) this.#line.again();
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
    this.#typing = null;
    this.#timers.clear();
    this.#marks.lost();
    this.#outbox.lost();
    this.#flush();
  }

  #over(reason) {
    this.#farewell();
    this.#emit("signed-out", { reason });
  }

  #farewell() {
    globalThis.removeEventListener?.("storage", this.#otherTab);
    for (const [target, type] of GOODBYES) target.removeEventListener(type, this.#goodbye);
    this.#questions.giveUp("closed", "the client has left");
  }

  /** Knows whose the queue is before the server has said so, even offline. */
  #isFor(person) {
    if (person === this.#person) return;
    const another = this.#person !== null;
    this.#person = person;
    this.#keepFor(person);
    if (another) this.#forget("person");
  }

  #keepFor(person) {
    this.#outbox.open(person);
    this.#drafts.open(person);
  }

  #forget(reason) {
    this.cursor = this.log = this.badge = null;
    this.#marks.forget();
    this.#outbox.forgetSent();
    this.#questions.giveUp("reset", "everything is to be loaded afresh");
    this.#emit("reset", { reason });
    this.#flush();
  }

  #otherTab = ({ key, newValue }) => {
    if (key && newValue === null && this.#outbox.removedElsewhere(key)) this.#flush();
  };

  /** Nobody knows whether a page that is left or out of sight comes back. */
  #goodbye = ({ type }) => {
    if (type === "pagehide" || globalThis.document.visibilityState === "hidden") this.#letGo();
  };

  /** Nothing is held back any more. */
  #letGo() {
    if (this.#outbox.letGo()) this.#flush();
  }

  /** A customer has one thread and does not name it. */
  #named(thread) {
    return this.you?.role === "customer" ? undefined : thread;
  }

  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.#emit("state", { state });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const GOODBYES = [[globalThis, "pagehide"], [globalThis.document, "visibilitychange"]]
  .filter(([target]) => target?.addEventListener);

/** A browser that forbids storage throws on the mere name. */
function localStorageIfAny() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
