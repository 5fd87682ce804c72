import assert from "node:assert/strict";
import { test } from "node:test";
import { MANY, Notices } from "../../src/ui/inbox/notices.js";
import { message, receipt } from "./fakes.mjs";

const ANA = { kind: "customer", name: "Ana Souza", contact: "ana" };
const SAM = { kind: "staff", name: "Sam Ortiz", sub: "sam" };
const said = (rev, thread, more) => ({ ...message(rev, { from: ANA }), thread, ...more });
const threads = (notices) => notices.take().map(({ thread, record, threads: many }) => many ?? [thread, record.rev]);

test("what a customer says is told once a conversation, the latest of it", () => {
  const notices = new Notices();
  assert.equal(notices.apply(said(1, "t1")), true);
  assert.equal(notices.apply(said(2, "t2")), true);
  assert.equal(notices.apply(said(3, "t1")), true);
  assert.deepEqual(threads(notices), [["t1", 3], ["t2", 2]]);
  assert.deepEqual(threads(notices), []);
});

test("a call that was handed over is told, its later parts, answers, notes and copies are not", () => {
  const notices = new Notices();
  assert.equal(notices.apply({ rev: 1, seq: 1, thread: "t1", kind: "handoff", index: 0 }), true);
  for (const record of [
    { rev: 2, seq: 2, thread: "t2", kind: "handoff", index: 1 }, said(3, "t3", { from: SAM }), said(4, "t4", { kind: "note", from: SAM }),
    said(5, "t5", { copied_from: { thread: "t0", rev: 1, at: 1, answered: true } }),
  ]) assert.equal(notices.apply(record), false);
  assert.deepEqual(threads(notices), [["t1", 1]]);
});

test("what was read in between is not told, and what was told is taken back", () => {
  const notices = new Notices();
  notices.apply(said(1, "t1"));
  notices.apply({ ...receipt(2, { by: SAM }), thread: "t1" });
  assert.deepEqual(threads(notices), []);
  notices.apply(said(3, "t1"));
  notices.take();
  assert.deepEqual([notices.read("t1"), notices.read("t1"), notices.read("t2")], [true, false, false]);
});

test("many conversations are told of together, until somebody looks", () => {
  const notices = new Notices();
  for (let n = 1; n <= MANY; n++) notices.apply(said(n, `t${n}`));
  assert.equal(threads(notices).length, MANY);
  notices.apply(said(10, "t10"));
  assert.deepEqual(threads(notices), [MANY + 1]);
  notices.forget();
  notices.apply(said(11, "t10"));
  assert.deepEqual(threads(notices), [["t10", 11]]);
});
