import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { EMPTY } from "../../src/ui/client/drafts.js";
import { ANA, FakeStorage, SAM, World } from "./fakes.mjs";

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

const BEGUN = { text: "Could you", internal: false, photos: ["p1"] };

test("what was begun is there again after a reload, each in its thread", () => {
  const world = new World();
  const before = world.client(SAM);
  before.keepDraft("t1", BEGUN);
  before.keepDraft("t2", { text: "Bring the ladder", internal: true, photos: [] });
  const after = world.client(SAM);
  assert.deepEqual(after.draft("t1"), BEGUN);
  assert.deepEqual(after.draft("t2"), { text: "Bring the ladder", internal: true, photos: [] });
  assert.equal(after.draft("t3"), null);
});

test("a draft is nobody else's on the same browser", () => {
  const world = new World();
  world.client(ANA).keepDraft(undefined, BEGUN);
  for (const other of [{ ...ANA, contact: "bob" }, { ...ANA, org: "other" }, { ...ANA, contact: undefined, role: "staff", sub: "ana" }]) {
    assert.equal(world.client(other).draft(undefined), null);
  }
  assert.deepEqual(world.client(ANA).draft(undefined), BEGUN);
});

test("before it is known who somebody is, nothing is shown and nothing kept", () => {
  const world = new World();
  world.client(ANA).keepDraft(undefined, BEGUN);
  const nobody = world.client(ANA, { token: undefined, getToken: async () => null });
  assert.equal(nobody.draft(undefined), null);
  nobody.keepDraft(undefined, BEGUN);
  assert.equal(world.storage.length, 1);
});

test("an empty draft is forgotten", () => {
  const world = new World();
  const client = world.client();
  client.keepDraft(undefined, BEGUN);
  client.keepDraft(undefined, EMPTY);
  assert.equal(client.draft(undefined), null);
  assert.equal(world.storage.length, 0);
});

test("of more than a hundred the oldest goes, and no one else's", () => {
  const world = new World();
  const client = world.client(SAM);
  world.client(ANA).keepDraft(undefined, BEGUN);
  for (let n = 0; n < 101; n++) {
    mock.timers.tick(1);
    client.keepDraft(`t${n}`, BEGUN);
    // The first one is written again and again.
    client.keepDraft("t0", BEGUN);
  }
  assert.equal(client.draft("t1"), null);
  for (const thread of ["t0", "t2", "t100"]) assert.deepEqual(client.draft(thread), BEGUN);
  assert.deepEqual(world.client(ANA).draft(undefined), BEGUN);
});

test("what cannot be read is no draft, and a storage that refuses is none", () => {
  const world = new World();
  const client = world.client();
  for (const broken of ["{", "null", '{"text":1}', '{"text":"a","photos":{}}']) {
    world.storage.setItem("crewline.draft/acme/customer/ana/", broken);
    assert.equal(client.draft(undefined), null, broken);
  }
  const forbidden = new FakeStorage();
  forbidden.getItem = forbidden.setItem = () => { throw new Error("forbidden"); };
  const unlucky = world.client(ANA, { storage: forbidden });
  unlucky.keepDraft(undefined, BEGUN);
  assert.equal(unlucky.draft(undefined), null);
});
