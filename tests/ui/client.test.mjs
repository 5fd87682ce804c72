import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { CrewlineClient } from "../../src/ui/client.js";
import { ANA, SAM, World, events, message, receipt, settle, tokenOf } from "./fakes.mjs";

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

/** Lets the wait for the next try pass. */
async function returned() {
  mock.timers.tick(60_000);
  await settle();
}

test("the first hello carries the token and no cursor; the next one carries cursor and log", async () => {
  const world = new World();
  await world.connected({ cursor: 10 });
  assert.equal(world.socket.protocol, "crewline.v1");
  assert.deepEqual(world.socket.frames[0], { type: "hello", token: tokenOf(ANA) });
  world.say({ type: "change", ...message(11) });
  world.cut();
  await returned();
  world.open();
  assert.deepEqual(world.socket.frames[0], { type: "hello", token: tokenOf(ANA), cursor: 11, log: "L1" });
});

test("a change is applied if it is the next one, and dropped if it is old", async () => {
  const world = new World();
  const client = await world.connected({ cursor: 10 });
  const changes = events(client, "change");
  world.say({ type: "change", ...message(11) });
  world.say({ type: "change", ...message(11) });
  world.say({ type: "change", ...message(9) });
  world.say({ type: "change", ...message(12) });
  assert.deepEqual(changes.map(({ seq }) => seq), [11, 12]);
  assert.equal(client.cursor, 12);
});

test("staff count by rev, and a kind that nobody knows still moves the cursor", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM, cursor: 40 });
  world.say({ type: "change", ...message(41), seq: 3 });
  world.say({ type: "change", rev: 42, thread: "t1", kind: "from-the-future", at: 1 });
  world.say({ type: "change", rev: 43, thread: "t1", kind: "note", at: 1, id: "n", from: { kind: "staff", sub: "kim" }, text: "x" });
  assert.equal(client.cursor, 43);
  assert.equal(client.state, "live");
});

test("a hole hangs up, and comes back with the cursor before it", async () => {
  const world = new World();
  const client = await world.connected({ cursor: 10 });
  const changes = events(client, "change");
  world.say({ type: "change", ...message(12) });
  assert.equal(world.socket.closed, true);
  assert.deepEqual(changes, []);
  await returned();
  world.open();
  assert.equal(world.socket.frames[0].cursor, 10);
});

test("a caught_up that differs from the cursor is a hole", async () => {
  const world = new World();
  const client = await world.connected({ cursor: 10 });
  world.say({ type: "caught_up", cursor: 11 });
  assert.equal(world.socket.closed, true);
  assert.equal(client.state, "offline");
});

test("a pong that tells of more than has come is a hole, after a moment's grace", async () => {
  const world = new World();
  await world.connected({ cursor: 10 });
  world.say({ type: "pong", head: 11 });
  world.say({ type: "change", ...message(11) });
  mock.timers.tick(3_000);
  assert.equal(world.socket.closed, false);
  world.say({ type: "pong", head: 12 });
  mock.timers.tick(3_000);
  assert.equal(world.socket.closed, true);
});

test("reset forgets the place and the badge, and takes the next one from welcome", async () => {
  const world = new World();
  const client = await world.connected({ cursor: 10 });
  const resets = events(client, "reset");
  const welcomes = events(client, "welcome");
  world.say({ type: "badge", unread: 2, as_of: 10 });
  world.cut();
  await returned();
  world.open();
  world.say({ type: "reset", reason: "log" });
  world.welcome({ cursor: 3, log: "L2" });
  world.say({ type: "badge", unread: 1, as_of: 3 });
  assert.deepEqual(resets, [{ reason: "log" }]);
  assert.deepEqual(welcomes.map(({ fresh }) => fresh), [true]);
  assert.equal(client.cursor, 3);
  assert.equal(client.log, "L2");
  assert.equal(client.badge.unread, 1);
});

test("after a mere reconnect nothing is to be loaded again", async () => {
  const world = new World();
  const client = await world.connected({ cursor: 10 });
  const welcomes = events(client, "welcome");
  world.cut();
  await returned();
  world.open();
  world.welcome({ cursor: 10 });
  assert.deepEqual(welcomes.map(({ fresh }) => fresh), [false]);
});

test("a badge that is older than the one shown is not shown", async () => {
  const world = new World();
  const client = await world.connected();
  const badges = events(client, "badge");
  world.say({ type: "badge", unread: 1, as_of: 12 });
  world.say({ type: "badge", unread: 5, as_of: 11 });
  world.say({ type: "badge", unread: 0, as_of: 13 });
  assert.deepEqual(badges.map(({ unread }) => unread), [1, 0]);
});

test("silence is asked after the heartbeat, and 8 s without an answer are the end", async () => {
  const world = new World();
  await world.connected();
  mock.timers.tick(25_000);
  assert.equal(world.heard("ping").length, 1);
  world.say({ type: "pong", head: 10 });
  mock.timers.tick(24_999);
  assert.equal(world.heard("ping").length, 1);
  mock.timers.tick(1);
  mock.timers.tick(7_999);
  assert.equal(world.socket.closed, false);
  mock.timers.tick(1);
  assert.equal(world.socket.closed, true);
});

test("the waits before the next try are full jitter: from nothing to the exponential bound", async () => {
  for (const [random, waits] of [[0, [0, 0, 0, 0]], [1, [500, 1000, 2000, 4000]]]) {
    const world = new World();
    world.random = () => random;
    const client = world.client();
    client.connect();
    await settle();
    for (const wait of waits) {
      const before = world.sockets.length;
      world.cut();
      if (wait > 0) {
        mock.timers.tick(wait - 1);
        await settle();
        assert.equal(world.sockets.length, before);
      }
      mock.timers.tick(1);
      await settle();
      assert.equal(world.sockets.length, before + 1);
    }
    client.close();
  }
});

test("however long it is down, a try comes every 30 s", async () => {
  const world = new World();
  world.random = () => 1;
  world.client().connect();
  await settle();
  for (let i = 0; i < 20; i++) {
    const before = world.sockets.length;
    world.cut();
    mock.timers.tick(30_000);
    await settle();
    assert.equal(world.sockets.length, before + 1);
  }
});

test("a server that goes says when to come back", async () => {
  const world = new World();
  await world.connected();
  world.random = () => 0;
  world.say({ type: "bye", code: 1012, reason: "drain", retry_after_ms: 2_500 });
  world.cut(1012);
  mock.timers.tick(2_499);
  await settle();
  assert.equal(world.sockets.length, 1);
  mock.timers.tick(1);
  await settle();
  assert.equal(world.sockets.length, 2);
});

test("a refused token is renewed once, then the person is signed out", async () => {
  const world = new World();
  let given = 0;
  const client = world.client(ANA, { token: undefined, getToken: async () => (given++, tokenOf(ANA)) });
  const over = events(client, "signed-out");
  client.connect();
  await settle();
  world.cut(4401);
  await settle();
  assert.equal(given, 2);
  assert.equal(world.sockets.length, 2);
  world.cut(4401);
  await settle();
  assert.deepEqual(over, [{ reason: "token" }]);
  assert.equal(client.state, "signed-out");
  await returned();
  assert.equal(world.sockets.length, 2);
});

test("a forbidden place is not tried again", async () => {
  const world = new World();
  const client = await world.connected();
  const over = events(client, "signed-out");
  world.cut(4403);
  await returned();
  assert.deepEqual(over, [{ reason: "forbidden" }]);
  assert.equal(world.sockets.length, 1);
});

test("a token that runs out is replaced on the living line", async () => {
  const world = new World();
  const tokens = [tokenOf(ANA), `${tokenOf(ANA)}2`];
  await world.connected({ options: { token: undefined, getToken: async () => tokens.shift() } });
  world.say({ type: "expiring", at: 1 });
  await settle();
  assert.deepEqual(world.heard("token"), [{ type: "token", token: `${tokenOf(ANA)}2` }]);
});

test("a network that is down while a token is asked for is no sign-out", async () => {
  const world = new World();
  const client = world.client(ANA, { token: undefined, getToken: async () => { throw new Error("no network"); } });
  client.connect();
  await settle();
  assert.equal(client.state, "offline");
});

test("received and read go at most once a second, and only the highest", async () => {
  const world = new World();
  const client = await world.connected();
  client.read(undefined, 3);
  client.read(undefined, 5);
  client.read(undefined, 4);
  client.received(undefined, 5);
  mock.timers.tick(20);
  assert.deepEqual(world.heard("read"), [{ type: "read", up_to: 5 }]);
  assert.deepEqual(world.heard("received"), [{ type: "received", up_to: 5 }]);
  client.read(undefined, 6);
  client.read(undefined, 7);
  mock.timers.tick(979);
  assert.equal(world.heard("read").length, 1);
  mock.timers.tick(21);
  assert.deepEqual(world.heard("read").slice(1), [{ type: "read", up_to: 7 }]);
});

test("marks of many threads at once stay far below the server's rate", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  for (let i = 0; i < 20; i++) client.received(`t${i}`, 1);
  mock.timers.tick(20);
  assert.equal(world.heard("received").length, 8);
  mock.timers.tick(1_000);
  assert.equal(world.heard("received").length, 16);
  mock.timers.tick(1_000);
  assert.equal(world.heard("received").length, 20);
});

test("a mark that the log does not show goes again after the line was cut, one that it shows does not", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM, cursor: 10 });
  client.read("t1", 5);
  client.read("t2", 7);
  mock.timers.tick(1_000);
  assert.equal(world.heard("read").length, 2);
  world.say({ type: "change", ...receipt(11, { up_to: 5, by: { kind: "staff", sub: "sam" } }) });
  client.read("t1", 5);
  world.cut();
  await returned();
  world.open();
  world.welcome({ you: SAM, cursor: 11 });
  assert.deepEqual(world.heard("read"), [{ type: "read", thread: "t2", up_to: 7 }]);
});

test("a colleague's read does not stand for one's own", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM, cursor: 10 });
  world.say({ type: "change", ...receipt(11, { up_to: 5, by: { kind: "staff", sub: "kim" } }) });
  client.read("t1", 5);
  mock.timers.tick(20);
  assert.deepEqual(world.heard("read"), [{ type: "read", thread: "t1", up_to: 5 }]);
});

test("typing is repeated every 3 s at most, and ended once", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  client.typing("t1", true);
  client.typing("t1", true);
  mock.timers.tick(3_000);
  client.typing("t1", true);
  client.typing("t1", false);
  client.typing("t1", false);
  assert.deepEqual(world.heard("typing").map(({ on }) => on), [true, true, false]);
});

test("a customer's typing names no thread", async () => {
  const world = new World();
  const client = await world.connected();
  client.typing(undefined, true);
  assert.deepEqual(world.heard("typing"), [{ type: "typing", on: true }]);
});

test("history answers with its own page, and is asked again after a cut", async () => {
  const world = new World();
  const client = await world.connected();
  const page = client.history(undefined, { before: 9, limit: 20 });
  const { id, ...asked } = world.heard("history")[0];
  assert.deepEqual(asked, { type: "history", before: 9, limit: 20 });
  world.cut();
  await returned();
  world.open();
  world.welcome({ cursor: 10 });
  assert.equal(world.heard("history").length, 1);
  assert.equal(world.heard("history")[0].id, id);
  world.say({ type: "page", id, thread: "t1", records: [message(8)], before: null, as_of: 10 });
  assert.equal((await page).records.length, 1);
});

test("a history that the server refuses is refused, with its code", async () => {
  const world = new World();
  const client = await world.connected();
  const page = client.history("other");
  world.say({ type: "error", id: world.heard("history")[0].id, code: "not_found", message: "no such thread", retry: false });
  await assert.rejects(page, { code: "not_found" });
});

test("the inbox is asked with the token, renewed once if it is refused", async () => {
  const asked = [];
  const tokens = [tokenOf(SAM), `${tokenOf(SAM)}2`];
  const client = new CrewlineClient({
    http: "http://hub",
    storage: new World().storage,
    getToken: async () => tokens.shift(),
    fetch: async (url, { headers }) => {
      asked.push([url, headers.authorization]);
      return asked.length === 1 ? new Response("{}", { status: 401 }) : Response.json({ threads: [], next: null, as_of: 4 });
    },
  });
  assert.equal((await client.inbox({ filter: "new", after: undefined })).as_of, 4);
  assert.deepEqual(asked, [
    ["http://hub/v1/inbox?filter=new", `Bearer ${tokenOf(SAM)}`],
    ["http://hub/v1/inbox?filter=new", `Bearer ${tokenOf(SAM)}2`],
  ]);
});

test("an HTTP problem keeps its code", async () => {
  const client = new CrewlineClient({
    token: tokenOf(SAM), storage: new World().storage,
    fetch: async () => Response.json({ code: "not_found", title: "Not found", detail: "no such thread" }, { status: 404 }),
  });
  await assert.rejects(client.thread("t9"), { code: "not_found", message: "no such thread", retry: false });
});

test("what is sent again is named one attempt after the other, and a refusal is told", async () => {
  const asked = [];
  const client = new CrewlineClient({
    token: tokenOf(SAM), storage: new World().storage,
    fetch: async (url, { method, body, headers }) => {
      asked.push([method, url, body, headers["content-type"]]);
      return asked.length < 3 ? Response.json({ again: true }) : Response.json({ code: "busy", detail: "try again" }, { status: 503 });
    },
  });
  await client.resend("t1", ["a1", "a2"]);
  assert.deepEqual(asked, ["a1", "a2"].map((attempt) => ["POST", "/v1/threads/t1/resend", JSON.stringify({ attempt }), "application/json"]));
  await assert.rejects(client.resend("t1", ["a3"]), { code: "busy", retry: true });
});
