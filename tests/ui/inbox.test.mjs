import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../../src/ui/inbox/rows.js";
import { message, receipt } from "./fakes.mjs";

const ANA = { kind: "customer", name: "Ana Souza", id: "p_1", contact: "ana" };
const SAM = { kind: "staff", name: "Sam Ortiz", id: "p_2", sub: "sam" };

function row(thread, last, more = {}) {
  return {
    thread, contact: { id: thread, name: thread, phone: null }, last: { ...last, thread }, active: last.rev, seq: last.seq,
    new: false, unread: 0, waiting_since: null, failed: false, ...more,
  };
}

function inboxOf(threads, as_of) {
  const inbox = new Inbox();
  inbox.load({ threads, next: null, as_of });
  return inbox;
}

/** The rows of a filter, as they stand there. */
const listed = (inbox, filter) => Array.from({ length: inbox.count(filter) }, (_, place) => inbox.rows.get(inbox.at(filter, place)));

/** A change in the thread with its own seq. */
const change = (rev, seq, record) => ({ ...record, rev, seq });

test("a customer's message makes its thread new, waiting, and the first", () => {
  const inbox = inboxOf([row("t2", message(9)), row("t1", message(8))], 10);
  const told = inbox.apply(change(11, 9, message(11, { from: ANA, at: 500 })));
  assert.deepEqual(told, { thread: "t1", unsure: false });
  const first = listed(inbox, "new")[0];
  assert.deepEqual([first.thread, first.new, first.unread, first.waiting_since], ["t1", true, 1, 500]);
  assert.deepEqual(listed(inbox, "all").map(({ thread }) => thread), ["t1", "t2"]);
});

test("waiting counts from the first message without an answer", () => {
  const inbox = inboxOf([row("t1", message(8))], 10);
  inbox.apply(change(11, 9, message(11, { from: ANA, at: 500 })));
  inbox.apply(change(12, 10, message(12, { from: ANA, at: 900 })));
  assert.equal(inbox.rows.get("t1").waiting_since, 500);
});

test("reading clears new, not waiting; an answer clears waiting, not new", () => {
  const inbox = inboxOf([row("t1", message(8))], 10);
  inbox.apply(change(11, 9, message(11, { from: ANA })));
  inbox.apply(change(12, 10, receipt(12, { up_to: 9, by: SAM })));
  assert.deepEqual([inbox.rows.get("t1").new, inbox.rows.get("t1").waiting_since], [false, 1011]);
  inbox.apply(change(13, 11, message(13, { from: ANA })));
  inbox.apply(change(14, 12, message(14, { from: SAM, seen: 11 })));
  assert.deepEqual([inbox.rows.get("t1").new, inbox.rows.get("t1").waiting_since], [true, null]);
});

test("an answer to less than all there is, or a read of less, is for the server to judge", () => {
  const inbox = inboxOf([row("t1", message(8))], 10);
  inbox.apply(change(11, 9, message(11, { from: ANA })));
  inbox.apply(change(12, 10, message(12, { from: ANA })));
  assert.deepEqual(inbox.apply(change(13, 11, receipt(13, { up_to: 9, by: SAM }))), { thread: "t1", unsure: true });
  assert.deepEqual(inbox.apply(change(14, 12, message(14, { from: SAM, seen: 9 }))), { thread: "t1", unsure: true });
});

test("mark handled clears waiting up to what was seen", () => {
  const inbox = inboxOf([row("t1", message(8, { from: ANA }), { waiting_since: 100, unread: 1, new: true })], 10);
  inbox.apply({ rev: 11, thread: "t1", kind: "thread", at: 1, event: "handled", seen: 8, by: SAM });
  assert.equal(inbox.rows.get("t1").waiting_since, null);
});

test("a note is the last word, and neither new nor an answer", () => {
  const inbox = inboxOf([row("t1", message(8, { from: ANA }), { waiting_since: 100, unread: 1, new: true })], 10);
  inbox.apply({ rev: 11, thread: "t1", kind: "note", at: 1, id: "n", from: SAM, text: "call first" });
  const { last, waiting_since, unread } = inbox.rows.get("t1");
  assert.deepEqual([last.text, waiting_since, unread], ["call first", 100, 1]);
});

test("the customer's reading, and a colleague's later one, leave the flags alone", () => {
  const inbox = inboxOf([row("t1", message(8, { from: ANA }), { unread: 1, new: true })], 10);
  inbox.apply(change(11, 9, receipt(11, { side: "customer", up_to: 7 })));
  inbox.apply({ ...receipt(12, { up_to: 8, by: SAM }), seq: undefined });
  assert.equal(inbox.rows.get("t1").new, true);
});

test("a change that the page already held alters nothing", () => {
  const inbox = inboxOf([row("t1", message(8))], 10);
  assert.equal(inbox.apply(change(10, 9, message(10, { from: ANA }))), null);
  assert.equal(inbox.rows.get("t1").unread, 0);
});

test("changes that come before the first page wait for it", () => {
  const inbox = new Inbox();
  inbox.apply(change(9, 9, message(9, { from: ANA })));
  inbox.apply(change(11, 10, message(11, { from: ANA })));
  inbox.load({ threads: [row("t1", message(9), { unread: 1, new: true })], next: null, as_of: 10 });
  assert.equal(inbox.rows.get("t1").unread, 2);
});

test("a later page does not undo what a change has said since", () => {
  const inbox = inboxOf([row("t1", message(8))], 10);
  inbox.apply(change(12, 9, message(12, { from: ANA })));
  inbox.load({ threads: [row("t1", message(8))], next: null, as_of: 11 });
  assert.equal(inbox.rows.get("t1").unread, 1);
});

test("a thread that is not in the list is asked for, and comes with its message", () => {
  const inbox = inboxOf([], 10);
  assert.deepEqual(inbox.apply(change(11, 3, message(11, { from: ANA, text: "new here" }))), { thread: "t1", unsure: true });
  inbox.refresh({ thread: "t1", contact: { id: "ana", name: "Ana Souza", phone: null }, seq: 3, unread: 1, waiting_since: 5, as_of: 11 });
  const [{ last, active, unread }] = listed(inbox, "new");
  assert.deepEqual([last.text, active, unread], ["new here", 11, 1]);
});

test("a snapshot that is older than the row is asked for again", () => {
  const inbox = inboxOf([row("t1", message(8))], 10);
  inbox.apply(change(12, 9, message(12, { from: ANA })));
  assert.equal(inbox.refresh({ thread: "t1", contact: {}, seq: 8, unread: 0, waiting_since: null, as_of: 11 }), false);
  assert.equal(inbox.rows.get("t1").unread, 1);
});

test("a contact's new name shows", () => {
  const inbox = inboxOf([row("t1", message(8))], 10);
  inbox.apply({ rev: 11, thread: "t1", kind: "thread", at: 1, event: "contact", contact: "ana", name: "Ana Lima", phone: "+15550100", unknown: true });
  const { name, unknown } = inbox.rows.get("t1").contact;
  assert.deepEqual([name, unknown], ["Ana Lima", true]);
});

const delivery = (rev, of, state, leg = "customer") => ({ rev, thread: "t1", kind: "delivery", at: rev, of, leg, state });

test("a text to the customer that failed, or may have, marks its thread until one gets through", () => {
  const inbox = inboxOf([row("t1", message(8)), row("t2", message(7))], 10);
  for (const [rev, of, state, failed] of [
    [11, 8, "sent", false], [12, 8, "failed", true], [13, 8, "sending", true], [14, 8, "sent", false],
    [15, 8, "unknown", true], [16, 9, "not_texted", true], [17, 10, "delivered", false],
  ]) {
    inbox.apply(delivery(rev, of, state));
    assert.equal(inbox.rows.get("t1").failed, failed, `${rev}: ${state}`);
    assert.deepEqual(listed(inbox, "failed").map(({ thread }) => thread), failed ? ["t1"] : []);
  }
});

test("an older text that got through says nothing of the one that failed, and a copy says nothing at all", () => {
  const inbox = inboxOf([row("t1", message(8))], 10);
  inbox.apply(delivery(11, 8, "failed", "copy"));
  assert.equal(inbox.rows.get("t1").failed, false);
  inbox.apply(delivery(12, 8, "failed"));
  inbox.apply(delivery(13, 7, "delivered"));
  inbox.apply(delivery(14, 8, "delivered", "copy"));
  assert.equal(inbox.rows.get("t1").failed, true);
});

test("a thread that is not in the list is asked for when its text fails, and stands among the failed", () => {
  const inbox = inboxOf([], 10);
  assert.deepEqual(inbox.apply(delivery(11, 8, "failed")), { thread: "t1", unsure: true });
  inbox.refresh({ thread: "t1", contact: { id: "ana" }, seq: 9, unread: 0, waiting_since: null, failed: 8, as_of: 11 });
  assert.deepEqual(listed(inbox, "failed").map(({ thread }) => thread), ["t1"]);
  assert.equal(inbox.apply({ ...delivery(12, 8, "failed"), thread: "t2", leg: "copy" }), null);
  inbox.apply(delivery(13, 8, "delivered"));
  assert.deepEqual(listed(inbox, "failed"), []);
});

test("what the thread says of a failure holds until that text, or a later one, gets through", () => {
  const inbox = inboxOf([row("t1", message(8), { failed: true })], 10);
  inbox.refresh({ thread: "t1", contact: {}, seq: 8, unread: 0, waiting_since: null, failed: 8, as_of: 11 });
  inbox.apply(delivery(12, 5, "sent"));
  assert.equal(inbox.rows.get("t1").failed, true);
  inbox.apply(delivery(13, 8, "sent"));
  assert.equal(inbox.rows.get("t1").failed, false);
});

test("a kind from the future is passed over", () => {
  const inbox = inboxOf([row("t1", message(8))], 10);
  assert.deepEqual(inbox.apply({ rev: 11, thread: "t1", kind: "from-the-future", at: 1 }), { thread: "t1", unsure: false });
});

test("a filter's list ends where its pages end, and holds what moves above that", () => {
  const inbox = new Inbox();
  assert.deepEqual([inbox.loaded("new"), inbox.next("new"), inbox.count("new")], [false, undefined, 0]);
  inbox.load({ threads: [row("t9", message(9), { new: true, unread: 1 })], next: 9, as_of: 20 }, "new");
  inbox.load({ threads: [row("t9", message(9), { new: true, unread: 1 }), row("t5", message(5))], next: 5, as_of: 20 });
  // Asked for by itself, and older than what is loaded: others between them are missing.
  inbox.refresh({ thread: "t2", contact: { id: "t2", name: "Bo", phone: null }, seq: 1, unread: 1, waiting_since: null, as_of: 20 });
  assert.deepEqual(listed(inbox, "all").map(({ thread }) => thread), ["t9", "t5"]);
  assert.equal(inbox.indexOf("all", "t2"), -1);
  // All of the inbox down to 5 is known, so all that is new down to 5 is, too.
  assert.equal(inbox.next("new"), 5);
  inbox.apply({ ...message(21, { from: ANA }), thread: "t2", seq: 2 });
  assert.deepEqual(listed(inbox, "new").map(({ thread }) => thread), ["t2", "t9"]);
  inbox.load({ threads: [row("t1", message(1))], next: null, as_of: 21 });
  assert.deepEqual([inbox.next("new"), inbox.next("failed"), inbox.count("all")], [null, null, 4]);
});

test("what was heard of a thread while its page was under way is not lost", () => {
  const inbox = inboxOf([], 10);
  inbox.apply({ ...receipt(12, { up_to: 9, by: SAM }), thread: "t3", seq: 9 });
  inbox.apply({ ...message(9, { from: ANA }), thread: "t3" });
  inbox.load({ threads: [row("t3", message(8, { from: ANA }), { new: true, unread: 2 })], next: null, as_of: 11 });
  assert.deepEqual([inbox.rows.get("t3").new, inbox.rows.get("t3").last.rev], [false, 8]);
});

test("what becomes of threads that nobody asks for is not kept for ever", () => {
  const inbox = inboxOf([], 1);
  for (let rev = 2; rev < 20_000; rev++) inbox.apply({ ...receipt(rev, { by: SAM }), thread: `t${rev}` });
  inbox.load({ threads: [row("t2", message(1), { new: true, unread: 1 }), row("t19999", message(1), { new: true })], next: null, as_of: 1 });
  assert.equal(inbox.rows.get("t2").unread, 1);
});

test("the open conversation stays in the list that it left, and is not counted there", () => {
  const inbox = inboxOf([row("t1", message(8), { new: true, unread: 1 }), row("t2", message(7), { new: true, unread: 1 })], 10);
  inbox.pinned = "t1";
  inbox.apply(change(11, 9, receipt(11, { up_to: 8, by: SAM })));
  assert.deepEqual(listed(inbox, "new").map(({ thread }) => thread), ["t1", "t2"]);
  assert.deepEqual([inbox.count("new"), inbox.tally("new")], [2, 1]);
  inbox.pinned = "t2";
  assert.deepEqual(listed(inbox, "new").map(({ thread }) => thread), ["t2"]);
});
