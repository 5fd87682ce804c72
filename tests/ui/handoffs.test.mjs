import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../../src/ui/thread/conversation.js";
import { Inbox } from "../../src/ui/inbox/rows.js";
import { Unrouted } from "../../src/ui/inbox/unrouted.js";
import { message, receipt } from "./fakes.mjs";

const ANA = { kind: "customer", name: "Ana Souza", id: "p_1", contact: "ana" };
const SAM = { kind: "staff", name: "Sam Ortiz", id: "p_2", sub: "sam" };

function handoff(rev, more = {}) {
  return { thread: "t1", kind: "handoff", rev, seq: rev, at: 1000 + rev, id: `h${rev}`, tag: "AI hand-off", index: 0, parts: 1, transcript: [], ...more };
}

function inboxOf(last, more = {}) {
  const inbox = new Inbox();
  const row = {
    thread: "t1", contact: { id: "ana", name: "Ana", phone: null }, last, active: last.rev, seq: last.seq,
    new: false, unread: 0, waiting_since: null, failed: false, handoff: false, ...more,
  };
  inbox.load({ threads: [row], next: null, as_of: last.rev });
  return inbox;
}

test("a hand-off is new, waits, and is one thing however many records it has", () => {
  const inbox = inboxOf(message(8));
  inbox.apply(handoff(11, { parts: 2 }));
  inbox.apply(handoff(12, { index: 1, of: 11, id: null }));
  const row = inbox.rows.get("t1");
  assert.deepEqual([row.new, row.unread, row.handoff, row.waiting_since, row.last.rev], [true, 1, true, 1011, 11]);
  assert.equal(inbox.count("handoff"), 1);
  inbox.apply({ ...message(13, { from: SAM, seen: 12 }), thread: "t1", seq: 13 });
  assert.deepEqual([row.handoff, row.waiting_since, inbox.count("handoff")], [false, null, 0]);
});

test("a copy's row is for the server to say, and an attached thread leaves the list", () => {
  const inbox = inboxOf(message(8));
  const copy = { ...message(11, { from: ANA }), thread: "t1", id: null, copied_from: { thread: "t0", rev: 3, at: 5, answered: true } };
  assert.deepEqual(inbox.apply(copy), { thread: "t1", unsure: true });
  inbox.apply({ kind: "thread", event: "attached", thread: "t1", rev: 12, at: 1, contact: "ana", to: "t2", copies: 1, by: SAM });
  assert.equal(inbox.count("all"), 0);
});

test("the team's receipts cover a hand-off, once for all its records", () => {
  const conversation = new Conversation("staff");
  conversation.merge({ records: [handoff(2, { index: 1, of: 1, id: null }), handoff(1, { parts: 2 })], before: null, as_of: 2 });
  assert.equal(conversation.lastFor("team"), 1);
  const { touched } = conversation.apply(receipt(3, { up_to: 1, by: SAM }));
  assert.deepEqual(touched.map(({ number }) => number), [1]);
  assert.equal(conversation.items[0].readers.get("sam").name, "Sam Ortiz");
});

test("a text that was routed reached somebody", () => {
  const unrouted = new Unrouted();
  unrouted.load({ records: [{ kind: "unrouted", rev: 5 }, { kind: "unrouted", rev: 3 }], before: null });
  assert.equal(unrouted.apply({ kind: "thread", event: "routed", unrouted: 5, thread: "t1", rev: 9 }), true);
  assert.deepEqual(unrouted.records.map(({ rev }) => rev), [3]);
  assert.equal(unrouted.apply({ kind: "thread", event: "routed", unrouted: 5, thread: "t1", rev: 9 }), false);
});
