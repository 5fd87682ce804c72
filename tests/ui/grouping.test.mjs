import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../../src/ui/thread/conversation.js";
import { beginsDay, goesOn, isShown } from "../../src/ui/thread/grouping.js";
import { message, receipt } from "./fakes.mjs";

const ANA = { kind: "customer", name: "Ana Souza", id: "p_1", contact: "ana" };
const NOON = new Date(2025, 10, 24, 12).getTime();
const MINUTE = 60_000;

function items(...records) {
  const conversation = new Conversation("customer");
  conversation.merge({ records: records.toReversed(), before: null, as_of: 99 });
  return conversation.items;
}

const pair = (one, other) => items(message(1, { at: NOON, ...one }), message(2, { at: NOON + MINUTE, ...other }));
const joined = (one, other) => (([before, item]) => goesOn(item, before))(pair(one, other));

test("messages of one person, soon after one another, are a group", () => {
  assert.equal(joined({}, {}), true);
  assert.equal(joined({}, { from: ANA }), false);
  assert.equal(joined({}, { at: NOON + 6 * MINUTE }), false);
});

test("what came another way, or was copied, shows that of itself", () => {
  assert.equal(joined({}, { via: "sms" }), false);
  assert.equal(joined({ via: "sms", phone: "+1" }, { via: "sms", phone: "+2" }), false);
  assert.equal(joined({ via: "portal" }, { via: "crm" }), true);
  assert.equal(joined({}, { said_at: NOON - 1 }), false);
  assert.equal(joined({ kind: "note" }, {}), false);
});

test("a day's heading stands before the first item and between days, and parts a group", () => {
  const midnight = new Date(2025, 10, 25).getTime();
  const [before, item] = pair({ at: midnight - 1000 }, { at: midnight + 1000 });
  assert.deepEqual([beginsDay(before, undefined), beginsDay(item, before), goesOn(item, before)], [true, true, false]);
});

test("receipts and deliveries have no row, nor has a kind from the future", () => {
  const all = items(message(1), receipt(2, { up_to: 1 }), { ...message(3), kind: "delivery", of: 1 }, { ...message(4), kind: "later" });
  assert.deepEqual(all.map((item) => isShown(item, "customer")), [true, false, false, false]);
  const [event] = items({ ...message(1), kind: "thread", event: "handled" });
  assert.deepEqual([isShown(event, "customer"), isShown(event, "staff")], [false, true]);
});
