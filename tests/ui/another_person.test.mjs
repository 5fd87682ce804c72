import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { ANA, SAM, World, events, message, settle, tokenOf } from "./fakes.mjs";

const KIM = { ...SAM, name: "Kim Doyle", sub: "kim", id: "p_3" };

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

/** Kim left something unsent in this browser; then Sam is live here. */
async function samWhereKimLeftSomething(options) {
  const world = new World();
  world.client(KIM).send({ thread: "t1", text: "Kim's own" });
  const client = await world.connected({ you: SAM, options });
  return { world, client };
}

/** Lets the wait for the next try pass. */
async function returned() {
  mock.timers.tick(60_000);
  await settle();
}

async function isHers(world, client) {
  assert.deepEqual(world.heard("send"), [], "what is Kim's does not go as Sam's");
  assert.deepEqual(world.heard("token"), [], "the hub would refuse it");
  assert.equal(world.socket.closed, true);
  await returned();
  assert.equal(world.sockets.length, 2);
  world.open();
  assert.deepEqual(world.socket.frames, [{ type: "hello", token: tokenOf(KIM) }]);
  world.welcome({ you: KIM, cursor: 4 });
  assert.deepEqual(world.heard("send").map(({ text }) => text), ["Kim's own"]);
  assert.equal(client.state, "live");
}

test("another person's token on a living line, where a token runs out: they get a line of their own", async () => {
  const tokens = [tokenOf(SAM), tokenOf(KIM)];
  const { world, client } = await samWhereKimLeftSomething({ token: undefined, getToken: async () => tokens.shift() ?? tokenOf(KIM) });
  const resets = events(client, "reset");
  world.say({ type: "expiring", at: 1 });
  await settle();
  assert.deepEqual(resets, [{ reason: "person" }]);
  await isHers(world, client);
});

test("another person's token by the page itself: they get a line of their own", async () => {
  const { world, client } = await samWhereKimLeftSomething();
  client.renew(tokenOf(KIM));
  await isHers(world, client);
});

test("another person's token where HTTP refused the first one's: what was asked is not done in their name", async () => {
  const tokens = [tokenOf(SAM), tokenOf(KIM)];
  const asked = [];
  const { world, client } = await samWhereKimLeftSomething({
    token: undefined, getToken: async () => tokens.shift() ?? tokenOf(KIM),
    fetch: async (_, { headers }) => {
      asked.push(headers.authorization);
      return Response.json({ code: "expired_token", detail: "it ran out" }, { status: 401 });
    },
  });
  await assert.rejects(client.newContact({ name: "Nora" }), { code: "expired_token" });
  assert.deepEqual(asked, [`Bearer ${tokenOf(SAM)}`]);
  await isHers(world, client);
});

test("another person's token while the first one is being let in: nobody is let in by two names", async () => {
  const world = new World();
  const client = world.client(SAM);
  client.connect();
  await settle();
  world.open();
  client.renew(tokenOf(KIM));
  assert.equal(world.socket.closed, true);
  world.welcome({ you: SAM });
  assert.equal(client.you, null);
  await returned();
  world.open();
  assert.deepEqual(world.socket.frames, [{ type: "hello", token: tokenOf(KIM) }]);
});

test("what was on its way when another person came is the first one's still", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  client.send({ thread: "t1", text: "Sam's own" });
  client.renew(tokenOf(KIM));
  assert.deepEqual(client.outbox, []);
  await returned();
  world.open();
  world.welcome({ you: KIM, cursor: 4 });
  assert.deepEqual(world.heard("send"), []);
  assert.deepEqual(world.client(SAM).outbox.map(({ text, state }) => [text, state]), [["Sam's own", "queued"]]);
});

test("who was signed out comes back, with a new token or by asking for one again", async () => {
  const world = new World();
  let given = null;
  const client = world.client(ANA, { token: undefined, getToken: async () => given });
  client.connect();
  await settle();
  assert.equal(client.state, "signed-out");
  given = tokenOf(ANA);
  client.connect();
  await settle();
  world.open();
  world.welcome({ cursor: 10 });
  assert.equal(client.state, "live");

  // What was refused is not what is shown again and again.
  given = null;
  world.cut(4401);
  await settle();
  assert.equal(client.state, "signed-out");
  given = `${tokenOf(ANA)}2`;
  client.connect();
  await settle();
  world.cut(4401);
  await settle();
  world.open();
  assert.deepEqual(world.socket.frames, [{ type: "hello", token: given, cursor: 10, log: "L1" }]);
  world.welcome({ cursor: 10 });
  world.say({ type: "change", ...message(11) });
  assert.deepEqual([client.state, client.cursor], ["live", 11]);
});
