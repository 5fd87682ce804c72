import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cost, parts, segments } from "../../src/ui/thread/segments.js";

const { vectors } = JSON.parse(readFileSync(new URL("../data/twilio/segment_vectors.json", import.meta.url), "utf8"));

test("segments are those of Twilio's calculator", () => {
  assert.equal(vectors.length, 26);
  for (const { name, text, encoding, segments: count, message_bits } of vectors) {
    const found = segments(text);
    const bits = found.units * (found.encoding === "GSM-7" ? 7 : 16);
    assert.deepEqual([found.encoding, found.count, bits], [encoding, count, message_bits], name);
  }
});

test("what a phone shows as one character stays in one segment", () => {
  const family = "👨‍👩‍👧‍👦"; // 11 units: six of them make a segment's 67
  assert.equal(segments(family.repeat(7)).count, 2);
  assert.equal(segments(family.repeat(12)).count, 2);
  assert.equal(segments(family.repeat(13)).count, 3);
  assert.equal(segments(`a${"\u0301".repeat(200)}`).count, 3, "one that fits nowhere is divided");
  assert.equal(segments(`${"x".repeat(152)}\r\n${"x".repeat(152)}`).count, 2, "a line break of two may be divided");
});

test("a text that fits one message has no prefix, and one more has", () => {
  for (const one of ["x", "漏"]) assert.deepEqual(parts(one.repeat(1_600)), [one.repeat(1_600)]);
  assert.deepEqual(parts(""), [""]);
  for (const text of ["x".repeat(1_601), "€".repeat(801), "👍".repeat(801)]) {
    const cut = parts(text);
    assert.deepEqual(cut.map((part) => part.slice(0, 6)), ["(1/2) ", "(2/2) "]);
    assert.equal(cut.map((part) => part.slice(6)).join(""), text, "nothing is lost");
  }
});

test("the cut is at white space, and the white space goes", () => {
  const words = "words ".repeat(600).trim();
  const cut = parts(words);
  assert.equal(cut.length, 3);
  for (const part of cut) assert.ok(part.endsWith(" words"), part.slice(-20));
  assert.equal(cut.map((part) => part.slice(6)).join(" "), words);
  assert.equal(parts(`${"a".repeat(1_594)} ${"b".repeat(100)}`)[1], `(2/2) ${"b".repeat(100)}`);
  assert.deepEqual(parts(`a${" ".repeat(4_000)}b`), ["(1/2) a", "(2/2) b"]);
});

test("ten parts and more have longer prefixes", () => {
  const cut = parts("x".repeat(16_000));
  assert.deepEqual([cut.length, cut[0].slice(0, 7), cut[10].slice(0, 8)], [11, "(1/11) ", "(11/11) "]);
  assert.deepEqual(cut.filter((part) => segments(part).units > 1_600), []);
});

test("a text in parts costs what its parts cost, prefixes included", () => {
  assert.deepEqual(cost("On our way"), { encoding: "GSM-7", segments: 1, parts: 1 });
  // 1,594 and 6, each behind six of "(1/2) ".
  assert.deepEqual(cost("x".repeat(1_600 + 1)), { encoding: "GSM-7", segments: 11 + 1, parts: 2 });
  // One character of the second part makes that one wide, and the first stays narrow.
  assert.deepEqual(cost(`${"x".repeat(1_600)} 漏`), { encoding: "UCS-2", segments: 11 + 1, parts: 2 });
});
