import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { join } from "../../src/ui/base/connection.js";
import { ANA, World, settle, tokenOf } from "./fakes.mjs";

const HUB = "https://hub.example";
const { WebSocket } = globalThis;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

afterEach(() => {
  globalThis.WebSocket = WebSocket;
});

/** Where the elements' sockets go. */
function world() {
  const made = new World();
  globalThis.WebSocket = made.options().WebSocket;
  return made;
}

test("all elements of one person have one line, which the last one closes", async () => {
  const there = world();
  const first = join({ hub: HUB, token: tokenOf(ANA) });
  const second = join({ hub: HUB, token: `${tokenOf(ANA)}2` });
  await settle();
  assert.equal(first.client, second.client);
  assert.deepEqual(there.sockets.map(({ url }) => url), ["wss://hub.example/v1/ws"]);
  first.leave();
  first.leave();
  mock.timers.tick(1);
  assert.equal(there.socket.closed, false);
  second.leave();
  mock.timers.tick(1);
  assert.equal(there.socket.closed, true);
});

test("an element that joins brings back who was signed out, with its own token", async () => {
  const there = world();
  const { client, leave } = join({ hub: HUB, token: tokenOf(ANA) });
  await settle();
  there.cut(4401);
  assert.equal(client.state, "signed-out");
  const newer = `${tokenOf(ANA)}2`;
  const second = join({ hub: HUB, token: newer });
  await settle();
  assert.equal(second.client, client);
  there.open();
  assert.deepEqual(there.socket.frames, [{ type: "hello", token: newer }]);
  assert.equal(there.sockets.length, 2);
  leave();
  second.leave();
  mock.timers.tick(1);
});

test("an element that joins where there was no token asks for one again", async () => {
  const there = world();
  let given = null;
  const getToken = async () => given;
  const { client, leave } = join({ hub: HUB, token: null, getToken });
  await settle();
  assert.equal(client.state, "signed-out");
  given = tokenOf(ANA);
  const second = join({ hub: HUB, token: null, getToken });
  await settle();
  assert.equal(second.client, client);
  there.open();
  assert.deepEqual(there.socket.frames, [{ type: "hello", token: given }]);
  leave();
  second.leave();
  mock.timers.tick(1);
});
