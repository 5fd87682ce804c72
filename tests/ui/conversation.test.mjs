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
