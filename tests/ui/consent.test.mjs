import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { followConsent } from "../../src/ui/thread/consent.js";
import { ANA, SAM, World, settle } from "./fakes.mjs";

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

/** A client whose hub answers for threads with what `answers` holds, the next one each time. */
async function follow({ you = SAM, thread = "t1", answers }) {
  const world = new World();
  const asked = [];
  const fetch = async (target) => {
    asked.push(target);
    return { ok: true, status: 200, json: async () => answers.shift() };
  };
  const client = await world.connected({ you, cursor: 10, options: { fetch } });
  const shown = [];
  const leaving = new AbortController();
  followConsent(client, thread, (texts) => shown.push(texts), leaving.signal);
  await settle();
  return { world, shown, asked, leaving };
}

const consent = (rev, texts, thread = "t1") => ({ type: "change", rev, seq: rev, thread, kind: "consent", at: rev, texts });

test("it is as the hub says, and then as it changes", async () => {
  const { world, shown, asked } = await follow({ answers: [{ texts: "on", as_of: 10 }] });
  assert.deepEqual([shown, asked], [["on"], ["/v1/threads/t1"]]);
  world.say(consent(11, "off"));
  world.say(consent(12, "off", "t2"));
  world.say(consent(13, "on"));
  assert.deepEqual(shown, ["on", "off", "on"]);
});

test("a snapshot that is older than a change does not undo it", async () => {
  let answer;
  const world = new World();
  const fetch = () => new Promise((resolve) => { answer = (body) => resolve({ ok: true, status: 200, json: async () => body }); });
  const client = await world.connected({ you: SAM, cursor: 10, options: { fetch } });
  const shown = [];
  followConsent(client, "t1", (texts) => shown.push(texts));
  await settle();
  world.say(consent(11, "off"));
  answer({ texts: "on", as_of: 10 });
  await settle();
  assert.deepEqual(shown, ["off"]);
});

test("another phone may take texts, or there is none any more: the hub is asked", async () => {
  const { world, shown } = await follow({ answers: [{ texts: "off", as_of: 10 }, { texts: null, as_of: 11 }] });
  world.say({ type: "change", rev: 11, thread: "t1", kind: "thread", at: 1, event: "contact", contact: "ana", name: "Ana" });
  await settle();
  assert.deepEqual(shown, ["off", null]);
});

test("a customer follows the own thread without naming it", async () => {
  const { world, shown, asked } = await follow({ you: ANA, thread: undefined, answers: [{ texts: "on", as_of: 10 }] });
  world.say(consent(11, "off"));
  assert.deepEqual([shown, asked], [["on", "off"], ["/v1/threads/t1"]]);
});

test("who has left hears nothing", async () => {
  const { world, shown, leaving } = await follow({ answers: [{ texts: "on", as_of: 10 }] });
  leaving.abort();
  world.say(consent(11, "off"));
  assert.deepEqual(shown, ["on"]);
});
