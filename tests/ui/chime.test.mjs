import assert from "node:assert/strict";
import { test } from "node:test";

/** What browsers have; it starts only after its user has done something. */
class Context {
  static made = [];
  static allowed = false;
  state = "suspended";
  currentTime = 0;
  destination = {};
  notes = 0;
  constructor() {
    Context.made.push(this);
  }
  async resume() {
    if (!Context.allowed) return new Promise(() => {});
    this.state = "running";
  }
  async suspend() {
    this.state = "suspended";
  }
  async close() {
    this.state = "closed";
  }
  createOscillator() {
    this.notes += 1;
    return { frequency: {}, connect: (next) => next, start() {}, stop() {} };
  }
  createGain() {
    return { gain: { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: (next) => next };
  }
}

Object.assign(globalThis, { AudioContext: Context, document: new EventTarget() });
const { Chime } = await import("../../src/ui/inbox/chime.js");
const settled = () => new Promise((done) => setImmediate(done));

test("who wants no sound has nothing that could make one", async () => {
  Context.made = [];
  let wanted = false;
  const leaving = new AbortController();
  const chime = new Chime(() => wanted, leaving.signal);
  document.dispatchEvent(new Event("keydown"));
  chime.play(0);
  assert.equal(Context.made.length, 0);
  wanted = true;
  Context.allowed = true;
  document.dispatchEvent(new Event("keydown"));
  await settled();
  assert.equal(Context.made.length, 1);
  leaving.abort();
  assert.equal(Context.made[0].state, "closed");
});

test("it rests but while it sounds, and many messages at once are one sound", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  Context.made = [];
  Context.allowed = true;
  const leaving = new AbortController();
  const chime = new Chime(() => true, leaving.signal);
  document.dispatchEvent(new Event("pointerdown"));
  await settled();
  t.mock.timers.tick(1);
  const [context] = Context.made;
  assert.equal(context.state, "suspended");
  for (const now of [0, 10, 2_999]) await chime.play(now);
  assert.deepEqual([context.notes, context.state], [2, "running"]);
  t.mock.timers.tick(1_000);
  assert.equal(context.state, "suspended");
  await chime.play(3_000);
  assert.equal(context.notes, 4);
  leaving.abort();
});

test("what was to be heard before its user did anything is not heard later", async () => {
  Context.made = [];
  Context.allowed = false;
  const leaving = new AbortController();
  const chime = new Chime(() => true, leaving.signal);
  document.dispatchEvent(new Event("keydown"));
  chime.play(0);
  Context.allowed = true;
  document.dispatchEvent(new Event("keydown"));
  await settled();
  assert.equal(Context.made.length, 1);
  assert.equal(Context.made[0].notes, 0);
  leaving.abort();
});
