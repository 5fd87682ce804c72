import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../../src/ui/thread/conversation.js";
import { message, receipt } from "./fakes.mjs";

const ANA = { kind: "customer", name: "Ana Souza", id: "p_1", contact: "ana" };
const SAM = { kind: "staff", name: "Sam Ortiz", id: "p_2", sub: "sam" };
const KIM = { kind: "staff", name: "Kim Lee", id: "p_3", sub: "kim" };

function loaded(records, { role = "customer", before = null, as_of } = {}) {
  const conversation = new Conversation(role);
  conversation.merge({ records: records.toReversed(), before, as_of: as_of ?? records.at(-1)?.seq ?? 0 });
  return conversation;
}

const numbers = (items) => items.map(({ number }) => number);
const of = (conversation, number) => conversation.items.find((item) => item.number === number);

test("pages come newest first and stand oldest first", () => {
  const conversation = loaded([message(5), message(6)], { before: 5 });
  assert.deepEqual(numbers(conversation.merge({ records: [message(4), message(3)], before: null, as_of: 6 })), [3, 4]);
  assert.deepEqual(numbers(conversation.items), [3, 4, 5, 6]);
  assert.equal(conversation.before, null);
});

test("a change that the page already held alters nothing", () => {
  const conversation = loaded([message(5), message(6)], { before: 5, as_of: 8 });
  assert.deepEqual(conversation.apply(message(6)), { added: [], touched: [] });
  assert.deepEqual(conversation.apply(message(8)), { added: [], touched: [] });
  assert.deepEqual(numbers(conversation.apply(message(9)).added), [9]);
});

test("changes that come before the first page wait for it", () => {
  const conversation = new Conversation("customer");
  conversation.apply(message(6));
  conversation.apply(message(7));
  assert.deepEqual(numbers(conversation.merge({ records: [message(6), message(5)], before: null, as_of: 6 })), [5, 6, 7]);
});

test("records are known by number: copies without an id stand side by side", () => {
  const conversation = loaded([message(1, { id: null }), message(2, { id: null })]);
  assert.deepEqual(numbers(conversation.items), [1, 2]);
});

test("staff records are numbered by rev, and notes have no seq", () => {
  const note = { rev: 32, thread: "t1", kind: "note", at: 5, id: "n", from: SAM, text: "x" };
  const conversation = loaded([{ ...message(31), seq: 4 }, note], { role: "staff", as_of: 40 });
  assert.deepEqual(numbers(conversation.items), [31, 32]);
  assert.equal(conversation.lastSeq, 4);
});

test("delivered and read are the first receipts of the other side that cover the message", () => {
  const conversation = loaded([
    message(1, { from: ANA }), message(2, { from: ANA }),
    receipt(3, { mark: "delivered", up_to: 1, at: 100 }),
    receipt(4, { mark: "delivered", up_to: 2, at: 200 }),
    receipt(5, { mark: "read", up_to: 2, at: 300 }),
    receipt(6, { mark: "read", up_to: 2, at: 400 }),
  ]);
  assert.deepEqual([of(conversation, 1).delivered_at, of(conversation, 1).read_at], [100, 300]);
  assert.deepEqual([of(conversation, 2).delivered_at, of(conversation, 2).read_at], [200, 300]);
});

test("a read is a delivery too, and a delivery is no read", () => {
  const conversation = loaded([message(1, { from: ANA }), message(2, { from: ANA })]);
  conversation.apply(receipt(3, { mark: "read", up_to: 1, at: 100 }));
  conversation.apply(receipt(4, { mark: "delivered", up_to: 2, at: 200 }));
  assert.deepEqual([of(conversation, 1).delivered_at, of(conversation, 1).read_at], [100, 100]);
  assert.deepEqual([of(conversation, 2).delivered_at, of(conversation, 2).read_at], [200, null]);
});

test("one's own receipts say nothing about one's own messages", () => {
  const conversation = loaded([message(1, { from: ANA }), message(2)]);
  conversation.apply(receipt(3, { side: "customer", mark: "read", up_to: 2 }));
  assert.equal(of(conversation, 1).read_at, null);
  assert.equal(of(conversation, 2).read_at, 1003);
  assert.equal(conversation.readBy("customer"), 2);
});

test("a receipt touches only the messages whose times it changes", () => {
  const conversation = loaded([1, 2, 3, 4].map((n) => message(n, { from: ANA })));
  assert.deepEqual(numbers(conversation.apply(receipt(5, { mark: "delivered", up_to: 2 })).touched).sort(), [1, 2]);
  assert.deepEqual(numbers(conversation.apply(receipt(6, { mark: "delivered", up_to: 3 })).touched), [3]);
  assert.deepEqual(numbers(conversation.apply(receipt(7, { mark: "delivered", up_to: 3 })).touched), []);
});

test("an older page brings its own receipts, and changes nothing that was loaded", () => {
  const conversation = loaded([message(5, { from: ANA }), receipt(6, { mark: "read", up_to: 5, at: 600 })], { before: 5 });
  conversation.merge({
    records: [receipt(4, { mark: "delivered", up_to: 3, at: 400 }), message(3, { from: ANA })], before: null, as_of: 6,
  });
  assert.deepEqual([of(conversation, 3).delivered_at, of(conversation, 3).read_at], [400, 600]);
  assert.deepEqual([of(conversation, 5).delivered_at, of(conversation, 5).read_at], [600, 600]);
});

test("staff see who of the team has read a message, each with the first time", () => {
  const conversation = loaded([message(1, { from: ANA })], { role: "staff" });
  conversation.apply(receipt(2, { up_to: 1, at: 100, by: SAM }));
  conversation.apply({ ...receipt(3, { up_to: 1, at: 200, by: KIM }), seq: undefined });
  conversation.apply({ ...receipt(4, { up_to: 1, at: 300, by: SAM }), seq: undefined });
  assert.deepEqual([...of(conversation, 1).readers.values()], [{ name: "Sam Ortiz", at: 100 }, { name: "Kim Lee", at: 200 }]);
  assert.equal(conversation.readBy("team", "kim"), 1);
  assert.equal(conversation.readBy("team", "lee"), 0);
});

test("the last message to acknowledge is the other side's, not a receipt and not one's own", () => {
  const conversation = loaded([message(1), message(2, { from: ANA }), receipt(3, { mark: "read", up_to: 2 })]);
  assert.equal(conversation.lastFor("customer"), 1);
  assert.equal(conversation.lastFor("team"), 2);
});

test("a kind from the future is kept and harms nothing", () => {
  const conversation = loaded([message(1)]);
  const { added, touched } = conversation.apply({ seq: 2, rev: 2, thread: "t1", kind: "from-the-future", at: 1 });
  assert.deepEqual([numbers(added), touched], [[2], []]);
});

test("a stretch in the middle grows at both ends, and meets what came meanwhile", () => {
  const conversation = new Conversation("customer");
  conversation.merge({ records: [message(51, { from: ANA }), message(50)], before: 50, after: 51, as_of: 90 });
  assert.deepEqual([conversation.before, conversation.after, conversation.holds(50), conversation.holds(60)], [50, 51, true, false]);
  // What is live is not next to it.
  assert.deepEqual(conversation.apply(message(91)), { added: [], touched: [] });
  conversation.extending();
  conversation.apply(message(92));
  conversation.apply(message(93));
  const newer = { records: [message(92), receipt(91, { up_to: 51, at: 7 }), message(52)], before: 51, after: null, as_of: 92 };
  assert.deepEqual(numbers(conversation.extend(newer)), [52, 91, 92, 93]);
  assert.equal(of(conversation, 51).read_at, 7);
  assert.deepEqual(numbers(conversation.apply(message(94)).added), [94]);
  assert.deepEqual(numbers(conversation.merge({ records: [message(49)], before: null, after: 50, as_of: 94 })), [49]);
  assert.deepEqual(numbers(conversation.items), [49, 50, 51, 52, 91, 92, 93, 94]);
});

test("pages from the end tell the same as the whole at once", () => {
  const records = [];
  for (let n = 1; n <= 300; n++) {
    // Some of everything, as marks go: forward, now and then beyond several messages.
    if (n % 7 === 0) records.push(receipt(n, { side: n % 2 ? "team" : "customer", mark: n % 3 ? "read" : "delivered", up_to: n - (n % 5) - 1, by: n % 4 ? SAM : KIM }));
    else if (n % 11 === 0) records.push({ ...message(n), kind: "delivery", of: n - 9, state: n % 2 ? "delivered" : "failed", sentence: "x" });
    else records.push(message(n, { from: n % 3 ? ANA : SAM }));
  }
  const told = ({ items }) => items.map(({ number, delivered_at, read_at, readers, texts }) => [number, delivered_at, read_at, [...readers].sort(), texts.customer?.state]);
  for (const role of ["customer", "staff"]) {
    const whole = loaded(records, { role });
    const paged = new Conversation(role);
    for (let end = 300; end > 0; end -= 13) {
      const start = Math.max(0, end - 13);
      paged.merge({ records: records.slice(start, end).toReversed(), before: start ? start + 1 : null, as_of: 300 });
    }
    assert.deepEqual(told(paged), told(whole));
    assert.deepEqual([paged.lastSeq, paged.lastFor("team"), paged.readBy("team"), paged.readBy("team", "kim")],
      [whole.lastSeq, whole.lastFor("team"), whole.readBy("team"), whole.readBy("team", "kim")]);
  }
});

test("what is let go can be loaded again", () => {
  const conversation = loaded([1, 2, 3, 4, 5].map((n) => message(n, { from: ANA })));
  assert.equal(conversation.keep(2), 3);
  assert.deepEqual([numbers(conversation.items), conversation.before, conversation.keep(2)], [[4, 5], 4, 0]);
  assert.deepEqual(numbers(conversation.apply(receipt(6, { up_to: 5 })).touched), [5, 4]);
  assert.deepEqual(numbers(conversation.merge({ records: [message(3, { from: ANA })], before: 3, as_of: 6 })), [3]);
  assert.equal(of(conversation, 3).read_at, 1006);
});

test("what was told of a message that is let go is told again when it is loaded again, and once", () => {
  const told = (n, kind, of, more) => ({ seq: n, rev: n, thread: "t1", kind, at: n, of, ...more });
  const part = (n, index, of) => told(n, "handoff", of, { index, parts: 2, transcript: [{ text: n }] });
  const records = [
    message(1, { from: SAM }), message(2, { from: ANA, media_expected: 1 }), part(3, 0),
    told(4, "delivery", 1, { leg: "customer", state: "sent" }), part(5, 1, 3),
    told(6, "delivery", 1, { leg: "customer", state: "failed", sentence: "x" }), told(7, "media", 2, { index: 0, photo: { id: "p1" } }), message(8),
  ];
  const conversation = loaded(records);
  // Let go twice, so that some of what told of them goes, too.
  for (const kept of [4, 3]) conversation.keep(kept);
  assert.equal(conversation.items.every(({ whole }) => whole === null), true);
  conversation.merge({ records: records.slice(2, 5).toReversed(), before: 3, as_of: 8 });
  conversation.merge({ records: records.slice(0, 2).toReversed(), before: null, as_of: 8 });
  assert.equal(of(conversation, 1).texts.customer.state, "failed");
  assert.equal(of(conversation, 2).media[0].photo.id, "p1");
  assert.deepEqual(numbers(of(conversation, 3).parts), [5]);
  assert.equal(of(conversation, 5).whole, of(conversation, 3));
});

test("a transcript's later records belong to their first, in whichever order they are loaded", () => {
  const part = (n, more) => ({ seq: n, rev: n, thread: "t1", kind: "handoff", at: n, index: 0, parts: 3, transcript: [{ text: n }], ...more });
  const conversation = loaded([part(3, { index: 2, of: 1 }), message(4)], { before: 3 });
  assert.equal(of(conversation, 3).whole, null);
  conversation.merge({ records: [part(2, { index: 1, of: 1 })], before: 2, as_of: 4 });
  conversation.merge({ records: [part(1)], before: null, as_of: 4 });
  assert.deepEqual(numbers(of(conversation, 1).parts), [2, 3]);
  assert.equal(of(conversation, 3).whole, of(conversation, 1));
});
