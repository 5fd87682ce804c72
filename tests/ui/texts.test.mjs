import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../../src/ui/thread/conversation.js";
import { Texts } from "../../src/ui/thread/texts.js";
import { message, receipt } from "./fakes.mjs";

const ANA = "+14155550112";
const TRUCK = "+14155550101";

/** What the team hears; `nth` attempt at `part`. */
function delivery(rev, { of = 1, leg = "customer", to = ANA, part = 1, nth = 1, parts = 1, at = 1000 + rev, ...more }) {
  return { rev, thread: "t1", kind: "delivery", at, of, leg, to, part, parts, nth, attempt: `a${part}.${nth}`, ...more };
}

function told(texts, ...deliveries) {
  for (const each of deliveries) texts.take(each);
  return texts;
}

const toAna = () => new Texts({ texts: [{ leg: "customer", to: ANA, encoding: "GSM-7", segments: 1, parts: 1 }] });

test("a message that is texted is on its way before anything is heard, and one that is not has no state", () => {
  assert.deepEqual([toAna().customer.state, toAna().customer.to], ["sending", ANA]);
  assert.equal(new Texts({}).customer, null);
});

test("the newest record says how it stands", () => {
  const texts = toAna();
  for (const state of ["sent", "delivered"]) assert.equal(told(texts, delivery(2, { state, status: state })).customer.state, state);
});

test("a failure has its reason and code, and may be sent again by the attempt that failed", () => {
  const { customer } = told(toAna(), delivery(2, { state: "failed", status: "undelivered", reason: "Landline.", code: 30006 }));
  assert.deepEqual([customer.state, customer.reason, customer.code, customer.again, customer.mayDouble], ["failed", "Landline.", 30006, ["a1.1"], false]);
});

test("an unknown one may double, and is offered only for that part", () => {
  const { customer } = told(toAna(),
    delivery(2, { state: "sending", part: 1, parts: 2, status: "sent" }),
    delivery(3, { state: "unknown", part: 2, parts: 2, status: "unknown", reason: "Nothing was found." }));
  assert.deepEqual([customer.again, customer.mayDouble], [["a2.1"], true]);
});

test("what is tried again by itself waits, and is not offered", () => {
  const { customer } = told(toAna(), delivery(2, { state: "sending", status: "undelivered", reason: "Out of reach.", code: 30003 }));
  assert.deepEqual([customer.state, customer.reason, customer.again], ["sending", "Out of reach.", []]);
});

test("sent again it is on its way by somebody, and then its newest attempt speaks", () => {
  const texts = told(toAna(), delivery(2, { state: "failed", status: "failed", reason: "Blocked." }),
    delivery(3, { state: "sending", nth: 2, by: { name: "Kim Park" } }));
  assert.deepEqual([texts.customer.state, texts.customer.reason, texts.customer.by.name, texts.customer.again], ["sending", null, "Kim Park", []]);
  told(texts, delivery(4, { state: "failed", nth: 2, status: "undelivered", reason: "Blocked.", code: 30004 }));
  assert.deepEqual([texts.customer.again, texts.customer.by], [["a1.2"], null]);
});

test("of a text in parts the one that failed is what is told, and what is sent again", () => {
  const { customer } = told(toAna(),
    delivery(2, { state: "failed", part: 1, parts: 2, status: "undelivered", reason: "Filtered.", code: 30007 }),
    delivery(3, { state: "failed", part: 2, parts: 2, status: "delivered" }));
  assert.deepEqual([customer.state, customer.reason, customer.code, customer.again], ["failed", "Filtered.", 30007, ["a1.1"]]);
});

test("a phone that takes no texts was not tried, so nothing is offered", () => {
  const { customer } = told(new Texts({}), { ...delivery(2, { state: "not_texted", reason: "Not texted." }), attempt: undefined });
  assert.deepEqual([customer.state, customer.reason, customer.again], ["not_texted", "Not texted.", []]);
});

test("a customer hears of the own phone: its ending and a sentence", () => {
  const { customer } = told(new Texts({}), { seq: 2, of: 1, state: "failed", sentence: "Not delivered.", phone_ending: "12" });
  assert.deepEqual([customer.state, customer.sentence, customer.ending, customer.again], ["failed", "Not delivered.", "12", []]);
});

test("copies stand apart, one for each business phone", () => {
  const texts = new Texts({ texts: [{ leg: "copy", to: TRUCK }, { leg: "copy", to: "+14155550102" }] });
  told(texts, delivery(2, { leg: "copy", to: TRUCK, state: "failed", status: "undelivered", reason: "Blocked." }));
  assert.deepEqual(texts.copies.map(({ to, state }) => [to, state]), [[TRUCK, "failed"], ["+14155550102", "sending"]]);
  assert.equal(texts.customer, null);
});

// ---- in the conversation ----

function loaded(records, role = "staff") {
  const conversation = new Conversation(role);
  conversation.merge({ records: records.toReversed(), before: null, as_of: records.at(-1).rev });
  return conversation;
}

const of = (conversation, seq) => conversation.items.find(({ record }) => record.kind === "message" && record.seq === seq);

test("a delivery touches the message that it is of, and no other", () => {
  const conversation = loaded([message(1), message(2)]);
  const { touched } = conversation.apply(delivery(3, { of: 1, state: "sent" }));
  assert.deepEqual(touched.map(({ number }) => number), [1]);
  assert.deepEqual([of(conversation, 1).texts.customer.state, of(conversation, 2).texts.customer], ["sent", null]);
});

test("the pages' deliveries count as the live ones do, also when their message comes with an older page", () => {
  const conversation = new Conversation("staff");
  conversation.merge({ records: [delivery(4, { of: 1, state: "failed", status: "failed" }), message(3)], before: 3, as_of: 4 });
  conversation.merge({ records: [delivery(2, { of: 1, state: "sent" }), message(1)], before: null, as_of: 4 });
  assert.equal(of(conversation, 1).texts.customer.state, "failed");
  assert.equal(of(conversation, 3).texts.customer, null);
});

test("delivered is whichever came first: the text, or the page", () => {
  const bySms = loaded([message(1), delivery(2, { state: "delivered", at: 200 }), receipt(3, { side: "customer", mark: "delivered", up_to: 1, at: 300 })]);
  assert.equal(of(bySms, 1).delivered_at, 200);
  const byPage = loaded([message(1), receipt(2, { side: "customer", mark: "delivered", up_to: 1, at: 200 }), delivery(3, { state: "delivered", at: 300 })]);
  assert.equal(of(byPage, 1).delivered_at, 200);
});

test("a text that was merely sent, or a copy that arrived, delivers nothing", () => {
  const conversation = loaded([message(1), delivery(2, { state: "sent" }), delivery(3, { leg: "copy", to: TRUCK, state: "delivered" })]);
  assert.equal(of(conversation, 1).delivered_at, null);
});

test("a read after the text was delivered keeps the earlier time", () => {
  const conversation = loaded([message(1), delivery(2, { state: "delivered", at: 200 })]);
  conversation.apply(receipt(3, { side: "customer", mark: "read", up_to: 1, at: 300 }));
  assert.deepEqual([of(conversation, 1).delivered_at, of(conversation, 1).read_at], [200, 300]);
});

test("a delivery of nothing that is here, and of an answer, harms nothing", () => {
  const conversation = loaded([message(5)]);
  assert.deepEqual(conversation.apply(delivery(6, { of: 2, state: "sent" })).touched, []);
  assert.deepEqual(conversation.apply(delivery(7, { of: undefined, leg: "answer", state: "sent" })).touched, []);
});
