/**
 * The world at the client's edge: a socket that the test answers by hand, and
 * a storage. Our own code is never faked.
 *
 *   const world = new World();
 *   const client = await world.connected({ cursor: 10 });     // up to `welcome` and `caught_up`
 *   world.say({ type: "change", seq: 11, … });
 *   world.heard("send")                                        // frames of the newest socket
 */
import { CrewlineClient } from "../../src/ui/client.js";

export const ANA = { role: "customer", name: "Ana Souza", org: "acme", contact: "ana", thread: "t1", sub: "c-ana", id: "p_1" };
export const SAM = { role: "staff", name: "Sam Ortiz", org: "acme", sub: "sam", id: "p_2" };

export class World {
  sockets = [];
  storage = new FakeStorage();
  random = () => 0.5;

  client(you = ANA, options = {}) {
    return new CrewlineClient({ ...this.options(you), ...options });
  }

  /** Of a client in this world. */
  options(you = ANA) {
    const world = this;
    class Socket extends FakeSocket {
      constructor(...call) {
        super(...call);
        world.sockets.push(this);
      }
    }
    return { url: "ws://hub/v1/ws", token: tokenOf(you), storage: this.storage, WebSocket: Socket, random: () => this.random() };
  }

  /** A client that is live at the cursor. */
  async connected({ you = ANA, cursor = 10, options } = {}) {
    const client = this.client(you, options);
    client.connect();
    await settle();
    this.open();
    this.welcome({ you, cursor });
    return client;
  }

  get socket() {
    return this.sockets.at(-1);
  }

  open() {
    this.socket.onopen();
  }

  welcome({ you = ANA, cursor = 10, log = "L1" } = {}) {
    this.say({ type: "welcome", session: "s", you, cursor, log, limits: { text_chars: 4000 }, heartbeat_ms: 25_000 });
    this.say({ type: "caught_up", cursor });
  }

  say(frame) {
    this.socket.onmessage?.({ data: JSON.stringify(frame) });
  }

  cut(code = 1006) {
    this.socket.onclose?.({ code });
  }

  heard(type) {
    return this.socket.frames.filter((frame) => frame.type === type);
  }
}

class FakeSocket {
  frames = [];
  closed = false;

  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
  }

  send(text) {
    this.frames.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }
}

export class FakeStorage {
  #items = new Map();

  get length() {
    return this.#items.size;
  }

  key(i) {
    return [...this.#items.keys()][i];
  }

  getItem(key) {
    return this.#items.get(key) ?? null;
  }

  setItem(key, value) {
    this.#items.set(key, String(value));
  }

  removeItem(key) {
    this.#items.delete(key);
  }
}

export function tokenOf({ role, org, sub, contact, name }) {
  const claims = Buffer.from(JSON.stringify({ aud: "crewline", role, org, sub, contact, name })).toString("base64url");
  return `head.${claims}.signature`;
}

/** Lets promises that are ready go on. */
export function settle() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Collects what a client emits. */
export function events(client, type) {
  const seen = [];
  client.addEventListener(type, ({ detail }) => seen.push(detail));
  return seen;
}

export function message(number, { from = { kind: "staff", name: "Sam Ortiz", id: "p_2" }, id = `x${number}`, text = "hello", at = 1000 + number, ...more } = {}) {
  return { seq: number, rev: number, thread: "t1", kind: "message", at, id, from, via: "portal", text, photos: [], ...more };
}

export function receipt(number, { side = "team", mark = "read", up_to, at = 1000 + number, ...more }) {
  return { seq: number, rev: number, thread: "t1", kind: "receipt", at, side, mark, up_to, ...more };
}
