import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { ANA, SAM, World, events, message, settle } from "./fakes.mjs";

const FROM_ANA = { kind: "customer", name: "Ana Souza", id: "p_1" };

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

async function back(world, { you = ANA, cursor = 10 } = {}) {
  world.cut();
  mock.timers.tick(60_000);
  await settle();
  world.open();
  world.welcome({ you, cursor });
}

const states = (client) => client.outbox.map(({ text, state }) => `${text}: ${state}`);

test("a message is sent, acknowledged, and gone when its record comes", async () => {
  const world = new World();
  const client = await world.connected();
  const id = client.send({ text: "The leak is back" });
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(world.heard("send"), [{ type: "send", id, text: "The leak is back" }]);
  assert.deepEqual(states(client), ["The leak is back: sending"]);
  world.say({ type: "ack", id, seq: 11, at: 1, duplicate: false });
  assert.deepEqual(states(client), ["The leak is back: sent"]);
  assert.equal(world.storage.length, 0);
  world.say({ type: "change", ...message(11, { id, from: FROM_ANA }) });
  assert.deepEqual(states(client), []);
});

test("a record that comes before its ack does not show twice", async () => {
  const world = new World();
  const client = await world.connected();
  const id = client.send({ text: "Hello" });
  world.say({ type: "change", ...message(11, { id, from: FROM_ANA }) });
  assert.deepEqual(states(client), []);
  world.say({ type: "ack", id, seq: 11, at: 1, duplicate: false });
  assert.deepEqual(states(client), []);
});

test("another person's record with the same id is not taken for one's own", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  const id = client.send({ thread: "t1", text: "Hello" });
  world.say({ type: "change", ...message(11, { id, from: { kind: "staff", name: "Kim", sub: "kim" } }) });
  assert.deepEqual(states(client), ["Hello: sending"]);
});

test("what was queued survives a reload, and goes with the same id", async () => {
  const world = new World();
  const before = world.client();
  const id = before.send({ text: "Written offline" });
  before.close();

  const after = world.client();
  assert.deepEqual(states(after), ["Written offline: queued"]);
  after.connect();
  await settle();
  world.open();
  world.welcome();
  assert.deepEqual(world.heard("send"), [{ type: "send", id, text: "Written offline" }]);
});

test("a duplicate ack for what the history already showed leaves nothing behind", async () => {
  const world = new World();
  world.client().send({ text: "Sent, but the page was reloaded" });
  const client = await world.connected({ cursor: 12 });
  const [{ id }] = client.outbox;
  world.say({ type: "ack", id, seq: 12, at: 1, duplicate: true });
  assert.deepEqual(states(client), []);
  assert.equal(world.storage.length, 0);
});

test("a history page that holds a queued message takes it off the queue", async () => {
  const world = new World();
  world.client().send({ text: "Hello" });
  const client = await world.connected({ cursor: 12 });
  const [{ id }] = client.outbox;
  client.history().catch(() => {});
  const question = world.heard("history")[0];
  world.say({ type: "page", id: question.id, thread: "t1", records: [message(12, { id, from: FROM_ANA })], before: null, as_of: 12 });
  assert.deepEqual(states(client), []);
});

test("the queue of one person is not another's", () => {
  const world = new World();
  world.client(ANA).send({ text: "From Ana" });
  assert.deepEqual(states(world.client({ ...ANA, contact: "bob" })), []);
  assert.deepEqual(states(world.client({ ...ANA, org: "other" })), []);
  assert.deepEqual(states(world.client(SAM)), []);
  assert.deepEqual(states(world.client(ANA)), ["From Ana: queued"]);
});

test("a cut line sends the unanswered again, with the same id and in order", async () => {
  const world = new World();
  const client = await world.connected();
  const ids = ["one", "two"].map((text) => client.send({ text }));
  assert.deepEqual(world.heard("send").map(({ id }) => id), [ids[0]]);
  await back(world);
  assert.deepEqual(world.heard("send").map(({ id }) => id), [ids[0]]);
  world.say({ type: "ack", id: ids[0], seq: 11, at: 1, duplicate: true });
  assert.deepEqual(world.heard("send").map(({ id }) => id), ids);
});

test("messages of one thread wait for each other, those of two threads do not", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  client.send({ thread: "t1", text: "a" });
  client.send({ thread: "t1", text: "b" });
  client.send({ thread: "t2", text: "c" });
  assert.deepEqual(world.heard("send").map(({ text }) => text), ["a", "c"]);
});

test("what may succeed later is sent again later, and keeps its place", async () => {
  const world = new World();
  const client = await world.connected();
  const first = client.send({ text: "one" });
  client.send({ text: "two" });
  world.say({ type: "error", id: first, code: "not_committed", message: "try again", retry: true });
  assert.deepEqual(world.heard("send").map(({ text }) => text), ["one"]);
  mock.timers.tick(1_000);
  assert.deepEqual(world.heard("send").map(({ text }) => text), ["one", "one"]);
  assert.equal(world.heard("send")[1].id, first);
});

test("a message without any answer is sent again", async () => {
  const world = new World();
  const client = await world.connected();
  const id = client.send({ text: "one" });
  mock.timers.tick(15_000);
  assert.deepEqual(world.heard("send").map((frame) => frame.id), [id, id]);
});

test("a refused message stays, with its reason, through a reload, and lets the next one pass", async () => {
  const world = new World();
  const client = await world.connected();
  const id = client.send({ text: "too long" });
  client.send({ text: "next" });
  world.say({ type: "error", id, code: "text_too_long", message: "at most 4,000 characters", retry: false });
  assert.deepEqual(states(client), ["too long: refused", "next: sending"]);
  assert.equal(client.outbox[0].message, "at most 4,000 characters");
  client.close();
  assert.deepEqual(states(world.client()), ["too long: refused", "next: queued"]);
});

test("retrying keeps the id, unless the id belongs to another message", async () => {
  const world = new World();
  const client = await world.connected();
  const id = client.send({ text: "Hello" });
  world.say({ type: "error", id, code: "forbidden", message: "no", retry: false });
  client.retry(id);
  assert.equal(world.heard("send").at(-1).id, id);
  world.say({ type: "error", id, code: "id_reused", message: "no", retry: false });
  client.retry(id);
  assert.notEqual(world.heard("send").at(-1).id, id);
  assert.equal(client.outbox.length, 1);
  assert.equal(world.storage.length, 1);
});

test("discarding drops a message for good", async () => {
  const world = new World();
  const client = await world.connected();
  const id = client.send({ text: "Hello" });
  world.say({ type: "error", id, code: "forbidden", message: "no", retry: false });
  client.discard(id);
  assert.deepEqual(client.outbox, []);
  assert.equal(world.storage.length, 0);
});

test("a stale message shows what came in between, and is sent anyway as having seen it", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  const outbox = events(client, "outbox");
  const id = client.send({ thread: "t1", text: "On our way", seen: 7 });
  assert.equal(world.heard("send")[0].seen, 7);
  const records = [message(8, { from: FROM_ANA, text: "Never mind" })];
  world.say({ type: "error", id, code: "stale", message: "there is more", retry: false, records });
  const [entry] = outbox.at(-1).entries;
  assert.equal(entry.state, "stale");
  assert.equal(entry.records[0].text, "Never mind");
  client.retry(id);
  assert.deepEqual(world.heard("send").at(-1), { type: "send", id, thread: "t1", text: "On our way", seen: 8 });
});

test("a stale message that is sent anyway has seen what is in view by then", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  const id = client.send({ thread: "t1", text: "On our way", seen: 7 });
  const records = [message(8, { from: FROM_ANA })];
  for (const [view, seen] of [[300, 300], [undefined, 300], [4, 300]]) {
    world.say({ type: "error", id, code: "stale", message: "there is more", retry: false, records });
    client.retry(id, view);
    assert.equal(world.heard("send").at(-1).seen, seen);
  }
  // What was refused for another reason says no more than it did.
  world.say({ type: "error", id, code: "forbidden", message: "no", retry: false });
  client.retry(id, 400);
  assert.equal(world.heard("send").at(-1).seen, 300);
});

test("a reset forgets what was sent, and keeps what was not", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  const id = client.send({ thread: "t1", text: "sent" });
  world.say({ type: "ack", id, rev: 11, seq: 3, at: 1, duplicate: false });
  client.send({ thread: "t1", text: "not sent" });
  world.cut();
  mock.timers.tick(60_000);
  await settle();
  world.open();
  world.say({ type: "reset", reason: "log" });
  world.welcome({ you: SAM, cursor: 2, log: "L2" });
  assert.deepEqual(states(client), ["not sent: sending"]);
});

test("two tabs of one person never overwrite each other's queue", () => {
  const world = new World();
  const [one, two] = [world.client(), world.client()];
  one.send({ text: "from one" });
  two.send({ text: "from two" });
  assert.deepEqual(states(world.client()).sort(), ["from one: queued", "from two: queued"]);
});

test("a browser without storage still sends", async () => {
  const world = new World();
  const forbidden = { get length() { throw new Error("forbidden"); }, setItem() { throw new Error("forbidden"); }, removeItem() { throw new Error("forbidden"); } };
  const client = await world.connected({ options: { storage: forbidden } });
  const id = client.send({ text: "Hello" });
  world.say({ type: "ack", id, seq: 11, at: 1, duplicate: false });
  assert.deepEqual(states(client), ["Hello: sent"]);
});
