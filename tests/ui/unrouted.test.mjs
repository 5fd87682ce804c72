import assert from "node:assert/strict";
import { test } from "node:test";
import { Unrouted, reasonOf } from "../../src/ui/inbox/unrouted.js";

const unrouted = (rev, more = {}) => ({ rev, kind: "unrouted", at: rev, from: "+14155550101", text: "on our way", reason: "no_tag", candidates: [], ...more });
const revs = ({ records }) => records.map(({ rev }) => rev);

test("pages and changes stand in one list, the newest first, each once", () => {
  const list = new Unrouted();
  assert.equal(list.apply(unrouted(12)), true, "it may come before the first page");
  list.load({ records: [unrouted(12), unrouted(9)], before: 9, as_of: 12 });
  assert.equal(list.apply(unrouted(12)), false);
  assert.equal(list.apply(unrouted(14)), true);
  list.load({ records: [unrouted(5)], before: null, as_of: 14 });
  assert.deepEqual(revs(list), [14, 12, 9, 5]);
  const ahead = new Unrouted();
  ahead.apply(unrouted(12));
  ahead.load({ records: [unrouted(14), unrouted(12)], before: null, as_of: 14 });
  assert.deepEqual(revs(ahead), [14, 12], "the page may know more than was told so far");
});

test("other kinds are none of its business", () => {
  assert.equal(new Unrouted().apply({ rev: 1, kind: "message" }), false);
});

test("one line says how many there are, and that there may be more", () => {
  const list = new Unrouted();
  assert.equal(list.sentence, "");
  list.load({ records: [unrouted(3)], before: null, as_of: 3 });
  assert.equal(list.sentence, "1 text reached nobody");
  list.apply(unrouted(4));
  assert.equal(list.sentence, "2 texts reached nobody");
  list.before = 3;
  assert.equal(list.sentence, "2+ texts reached nobody");
});

test("every reason is said in words, also one from the future", () => {
  const said = ["shared_phone", "no_tag", "unknown_tag", "empty", "no_phone", "from_the_future"].map((reason) => reasonOf(unrouted(1, { reason })));
  assert.equal(new Set(said).size, 6);
  for (const sentence of said) assert.match(sentence, /^[A-Z].*\.$/);
  assert.notEqual(reasonOf(unrouted(1)), reasonOf(unrouted(1, { candidates: [{ thread: "t1", name: "Ana" }] })));
});
