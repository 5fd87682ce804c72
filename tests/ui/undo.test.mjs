import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { CrewlineClient } from "../../src/ui/client.js";
import { SAM, World, settle } from "./fakes.mjs";

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

const states = (client) => client.outbox.map(({ text, state }) => `${text}: ${state}`);
const sent = (world) => world.heard("send").map(({ text }) => text);

test("what can be taken back waits, and then goes once", async () => {
  const world = new World();
  const client = await world.connected();
  const id = client.send({ text: "Hello", hold: 5_000 });
  assert.deepEqual(states(client), ["Hello: held"]);
  mock.timers.tick(4_999);
  assert.deepEqual(sent(world), []);
  mock.timers.tick(1);
  assert.deepEqual(world.heard("send"), [{ type: "send", id, text: "Hello" }]);
  assert.equal(client.takeBack(id), null, "it is too late");
  world.say({ type: "ack", id, seq: 11, at: 1, duplicate: false });
  assert.equal(world.storage.length, 0);
});

test("what is taken back never goes, and comes back whole", async () => {
  const world = new World();
  const client = await world.connected();
  const id = client.send({ text: "Hello", photos: ["p1"], hold: 5_000 });
  mock.timers.tick(3_000);
  const { text, internal, photos } = client.takeBack(id);
  assert.deepEqual({ text, internal, photos }, { text: "Hello", internal: false, photos: ["p1"] });
  mock.timers.tick(60_000);
  assert.deepEqual(sent(world), []);
  assert.equal(world.storage.length, 0);
});

test("the next message of the thread lets it go, in order; one of another thread does not", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  client.send({ thread: "t1", text: "one", hold: 5_000 });
  client.send({ thread: "t2", text: "two", hold: 5_000 });
  assert.deepEqual(states(client), ["one: held", "two: held"]);
  const [{ id }] = client.outbox;
  client.send({ thread: "t1", text: "three", hold: 5_000 });
  assert.deepEqual(states(client), ["one: sending", "two: held", "three: held"]);
  world.say({ type: "ack", id, rev: 11, seq: 3, at: 1, duplicate: false });
  mock.timers.tick(5_000);
  assert.deepEqual(sent(world), ["one", "two", "three"]);
});

test("a reload within the time goes on waiting, and then it goes with the same id", async () => {
  const world = new World();
  // The page is gone without a word.
  const id = world.client().send({ text: "Hello", hold: 5_000 });
  mock.timers.tick(2_000);
  const client = await world.connected();
  assert.deepEqual(states(client), ["Hello: held"]);
  mock.timers.tick(3_000);
  assert.deepEqual(world.heard("send"), [{ type: "send", id, text: "Hello" }]);
});

test("who comes back later finds it sent, not asked again", async () => {
  const world = new World();
  world.client().send({ text: "Hello", hold: 5_000 });
  mock.timers.tick(100_000);
  const client = await world.connected();
  assert.deepEqual(states(client), ["Hello: sending"]);
});

test("a clock that was put back holds nothing back for hours", async () => {
  const world = new World();
  world.client().send({ text: "Hello", hold: 5_000 });
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000 });
  const client = await world.connected();
  assert.deepEqual(states(client), ["Hello: sending"]);
});

test("a client that leaves sends at once what it held", async () => {
  const world = new World();
  const client = await world.connected();
  client.send({ text: "Hello", hold: 5_000 });
  client.close();
  assert.deepEqual(sent(world), ["Hello"]);
  assert.equal(world.storage.length, 1, "until the server has said that it has it");
});

test("a page that is left, or out of sight, sends at once what it held", async () => {
  const page = new EventTarget();
  page.visibilityState = "visible";
  const [addEventListener, removeEventListener] = [page.addEventListener.bind(page), page.removeEventListener.bind(page)];
  Object.assign(globalThis, { document: page, addEventListener, removeEventListener });
  const world = new World();
  const opened = async () => {
    const client = new CrewlineClient(world.options());
    client.connect();
    await settle();
    world.open();
    world.welcome();
    return client;
  };
  try {
    const client = await opened();
    client.send({ text: "one", hold: 5_000 });
    page.dispatchEvent(new Event("visibilitychange"));
    assert.deepEqual(sent(world), [], "it is still to be seen");
    page.visibilityState = "hidden";
    page.dispatchEvent(new Event("visibilitychange"));
    assert.deepEqual(sent(world), ["one"]);
    world.say({ type: "ack", id: client.outbox[0].id, seq: 11, at: 1, duplicate: false });
    client.send({ text: "two", hold: 5_000 });
    page.dispatchEvent(new Event("pagehide"));
    assert.deepEqual(sent(world), ["one", "two"]);
  } finally {
    for (const name of ["document", "addEventListener", "removeEventListener"]) delete globalThis[name];
  }
});

test("without a line it waits its time, and then for the line", async () => {
  const world = new World();
  const client = await world.connected();
  world.cut();
  client.send({ text: "Hello", hold: 5_000 });
  assert.deepEqual(states(client), ["Hello: held"]);
  mock.timers.tick(5_000);
  assert.equal(client.outbox[0].state === "held", false);
});
