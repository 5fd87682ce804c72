import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { SAM, World, events, settle } from "./fakes.mjs";

const KIM = { kind: "staff", name: "Kim Doyle", sub: "kim" };
const ANA = { kind: "customer", name: "Ana Souza", contact: "ana" };

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

test("the client knows who is here, also for those who ask later, until it is told anew", async () => {
  const world = new World();
  const client = await world.connected({ you: SAM });
  const told = events(client, "presence");
  world.say({ type: "presence", online: [KIM, ANA], offline: [] });
  assert.deepEqual([client.presence.staff.map(({ name }) => name), client.presence.hasContact("ana")], [["Kim Doyle"], true]);
  world.say({ type: "presence", online: [], offline: [ANA] });
  assert.equal(client.presence.hasContact("ana"), false);
  assert.deepEqual(told, [{ online: [KIM, ANA], offline: [] }, { online: [], offline: [ANA] }]);
  world.cut();
  mock.timers.tick(60_000);
  await settle();
  world.open();
  world.welcome({ you: SAM });
  assert.deepEqual(client.presence.staff, []);
});
