/**
 * Tells of what customers write and of calls handed over while nobody looks at
 * the inbox: by a notification and a soft sound, each if it was switched on in
 * this browser. Of the tabs that one person has open, one does it.
 *
 *   const notifier = new Notifier(client, { name: (thread) => "Ana Souza", open: (thread) => show(thread) }, signal);
 *   await notifier.allow(true);       // on a click: the browser asks
 *   notifier.sound = true;
 *   notifier.state                    // "on", "off", "blocked" or "impossible"
 */
import { personKey } from "../client/token.js";
import { Chime } from "./chime.js";
import { Notices } from "./notices.js";
import { remember, remembered } from "./remembered.js";

/** What arrives together is told of together. */
const GATHER_MS = 400;
const LONGEST = 160;

export class Notifier {
  #client;
  #inbox;
  #signal;
  #notices = new Notices();
  /** What is on the screen, by thread; all together under "". @type {Map<string, Notification>} */
  #shown = new Map();
  #chime;
  #timer;
  #speaks = !navigator.locks;
  /** Whose tabs they are. */
  #person = "";
  /** Ends the turn of this tab, or its wait for it. @type {AbortController | null} */
  #turn = null;
  /** Lets the other tabs know that this one is looked at. @type {AbortController | null} */
  #looking = null;

  /** @param {{name: (thread: string) => string, open: (thread: string) => void}} inbox @param {AbortSignal} signal */
  constructor(client, inbox, signal) {
    [this.#client, this.#inbox, this.#signal] = [client, inbox, signal];
    this.#chime = new Chime(() => this.sound, signal);
    const listen = (type, heard) => client.addEventListener(type, ({ detail }) => heard(detail), { signal });
    listen("change", (record) => this.#change(record));
    listen("caught-up", () => this.#soon());
    listen("welcome", () => this.#queue());
    for (const type of ["focus", "blur"]) window.addEventListener(type, () => this.#look(), { signal });
    document.addEventListener("visibilitychange", () => this.#look(), { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      this.#turn?.abort();
      this.#looking?.abort();
      this.#takeBack();
    });
    if (client.you) this.#queue();
  }

  /** @returns {"on" | "off" | "blocked" | "impossible"} */
  get state() {
    if (!("Notification" in globalThis)) return "impossible";
    if (Notification.permission === "denied") return "blocked";
    return Notification.permission === "granted" && remembered("notify") === "on" ? "on" : "off";
  }

  get sound() {
    return remembered("sound") === "on";
  }

  set sound(on) {
    remember("sound", on ? "on" : "off");
    if (on) this.#chime.wake().then(() => this.#chime.play());
  }

  /** @param {boolean} on */
  async allow(on) {
    remember("notify", on ? "on" : "off");
    if (on && "Notification" in globalThis && Notification.permission === "default") await Notification.requestPermission();
    if (!on) this.#takeBack();
  }

  /** The thread is open, or was read. @param {string} thread */
  read(thread) {
    if (!this.#notices.read(thread)) return;
    this.#shown.get(thread)?.close();
    this.#shown.delete(thread);
  }

  /** The first of this person's tabs tells; the next one does when that is closed. */
  #queue() {
    const person = personKey(this.#client.you);
    if (this.#person === person || !navigator.locks) return;
    this.#person = person;
    this.#turn?.abort();
    this.#looking?.abort();
    this.#looking = null;
    this.#speaks = false;
    const { signal } = (this.#turn = new AbortController());
    hold(`crewline tells ${person}`, "exclusive", signal, () => { this.#speaks = true; });
    this.#look();
  }

  #change(record) {
    if (record.kind === "receipt" && record.side === "team" && record.mark === "read") this.read(record.thread);
    if (this.#notices.apply(record)) this.#soon();
  }

  #soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // What was missed is told of when all of it is here.
      if (this.#client.state === "live") this.#tell();
    }, GATHER_MS);
  }

  async #tell() {
    if (!this.#speaks || await this.#isLookedAt()) return this.#notices.forget();
    const notices = this.#notices.take();
    if (notices.length === 0 || this.#signal.aborted) return;
    if (this.sound) this.#chime.play();
    if (this.state === "on") for (const notice of notices) this.#show(notice);
  }

  #show(notice) {
    const { thread = "", record, threads } = notice;
    if (threads) this.#close();
    const title = threads ? `${threads} conversations have something new` : this.#inbox.name(thread) || record.from?.name || "A customer";
    const text = record?.kind === "handoff" ? `Call: ${record.brief?.summary ?? ""}` : record?.text || "Photo";
    try {
      const shown = new Notification(title, { body: threads ? "" : text.slice(0, LONGEST), tag: `crewline ${thread}`, silent: true });
      this.#shown.set(thread, shown);
      shown.onclick = () => {
        window.focus();
        shown.close();
        if (thread) this.#inbox.open(thread);
      };
    } catch { /* some browsers let only their own service notify */ }
  }

  #look() {
    const looks = isLookedAt();
    if (looks) this.#takeBack();
    if (looks === Boolean(this.#looking) || this.#person === "") return;
    this.#looking?.abort();
    this.#looking = looks ? new AbortController() : null;
    if (this.#looking) hold(this.#lookedAt, "shared", this.#looking.signal);
  }

  get #lookedAt() {
    return `crewline is looked at by ${this.#person}`;
  }

  async #isLookedAt() {
    if (isLookedAt() || !navigator.locks) return isLookedAt();
    const { held = [] } = await navigator.locks.query();
    return held.some(({ name }) => name === this.#lookedAt);
  }

  #close() {
    for (const shown of this.#shown.values()) shown.close();
    this.#shown.clear();
  }

  #takeBack() {
    this.#close();
    this.#notices.forget();
  }
}

/** Holds a lock, once it is to be had, until the signal ends it. @param {string} name @param {LockMode} mode @param {AbortSignal} signal @param {() => void} [got] */
function hold(name, mode, signal, got = () => {}) {
  const held = () => {
    got();
    return new Promise((over) => signal.addEventListener("abort", over));
  };
  navigator.locks.request(name, { mode, signal }, held).catch(() => {});
}

function isLookedAt() {
  return document.visibilityState === "visible" && document.hasFocus();
}
