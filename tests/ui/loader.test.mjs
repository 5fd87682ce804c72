import assert from "node:assert/strict";
import { test } from "node:test";
import { Loader } from "../../src/ui/inbox/loader.js";
import { Inbox } from "../../src/ui/inbox/rows.js";
import { message } from "./fakes.mjs";

const ANA = { kind: "customer", name: "Ana Souza", id: "p_1", contact: "ana" };

/** A hub with threads t1 … t200, of which a page holds 50, the highest first. */
function hub(active = Array.from({ length: 200 }, (_, n) => [`t${n + 1}`, n + 1])) {
  const asked = [];
  const state = { active: new Map(active), fails: 0 };
  const client = {
    asked, state,
    async inbox({ after = Infinity }) {
      asked.push(after === Infinity ? "top" : after);
      if (state.fails-- > 0) throw Object.assign(new Error("it is busy"), { code: "busy" });
      const all = [...state.active].filter(([, rev]) => rev < after).sort(([, a], [, b]) => b - a);
      const threads = all.slice(0, 50).map(([thread, rev]) => ({
        thread, contact: { id: thread, name: thread, phone: null }, last: message(rev, { from: ANA }), active: rev, seq: 1,
        new: false, unread: 0, waiting_since: null, failed: false, handoff: false,
      }));
      return { threads, next: all.length > 50 ? threads.at(-1).active : null, as_of: Math.max(...state.active.values()) };
    },
    async thread(thread) {
      asked.push(thread);
      if (!state.active.has(thread)) throw Object.assign(new Error("no such thread"), { code: "not_found" });
      return { thread, contact: { id: thread, name: thread, phone: null }, seq: 1, unread: 0, waiting_since: null, failed: 0, as_of: 1_000 };
    },
  };
  return client;
}

const settled = () => new Promise((done) => setTimeout(done, 250));

test("a hundred conversations that come into the list at once are asked for in few pages", async () => {
  const client = hub();
  const inbox = new Inbox();
  const loader = new Loader(client, inbox, () => {});
  await loader.load("all");
  for (let n = 1; n <= 100; n++) {
    client.state.active.set(`t${n}`, 200 + n);
    const { thread, unsure } = inbox.apply({ ...message(200 + n, { from: ANA }), thread: `t${n}`, seq: 2 });
    assert.equal(unsure, true);
    loader.ask(thread, 200 + n);
  }
  await settled();
  assert.deepEqual(client.asked, ["top", "top", 251]);
  assert.deepEqual([inbox.at("all", 0), inbox.at("all", 99), inbox.at("all", 100), inbox.count("all")], ["t100", "t1", "t200", 150]);
  loader.stop();
});

test("one that no page has is asked for by itself, and one that is not there only once", async () => {
  const client = hub([["t1", 1]]);
  const inbox = new Inbox();
  const loader = new Loader(client, inbox, () => {});
  await loader.load("all");
  loader.ask("gone", 50);
  await settled();
  loader.goOn();
  await settled();
  assert.deepEqual(client.asked, ["top", "top", "gone"]);
  loader.stop();
});

test("a page that failed says why and is tried again when the line is back", async () => {
  const client = hub();
  client.state.fails = 1;
  const inbox = new Inbox();
  const loader = new Loader(client, inbox, () => {});
  await loader.load("all");
  await loader.load("all");
  assert.deepEqual([loader.problem, client.asked.length], ["it is busy", 1]);
  loader.goOn();
  await settled();
  assert.deepEqual([loader.problem, inbox.count("all")], ["", 50]);
  loader.stop();
});
