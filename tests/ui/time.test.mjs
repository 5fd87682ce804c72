import assert from "node:assert/strict";
import { test } from "node:test";
import { dayLabel, waited } from "../../src/ui/base/time.js";

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

test("how long somebody waits is told in minutes, hours, then days", () => {
  const now = 1_764_000_000_000;
  const told = (ms) => waited(now - ms, now);
  assert.equal(told(MINUTE - 1), "");
  assert.equal(told(MINUTE), "1 min");
  assert.equal(told(5 * MINUTE), "5 min");
  assert.equal(told(HOUR - 1), "59 min");
  assert.equal(told(HOUR), "1 h");
  assert.equal(told(2 * DAY - 1), "47 h");
  assert.equal(told(2 * DAY), "2 d");
  // The clocks of two machines are never quite the same.
  assert.equal(told(-5 * MINUTE), "");
});

test("a day is called by how near it is", () => {
  const now = new Date(2026, 2, 10, 0, 30).getTime();
  const label = (...day) => dayLabel(new Date(...day).getTime(), now);
  assert.equal(label(2026, 2, 10, 0, 1), "Today");
  assert.equal(label(2026, 2, 9, 23, 59), "Yesterday");
  assert.equal(label(2026, 2, 8), new Intl.DateTimeFormat(undefined, { weekday: "long", month: "long", day: "numeric" }).format(new Date(2026, 2, 8)));
  assert.match(label(2025, 11, 31), /2025/);
});
