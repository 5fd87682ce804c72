import assert from "node:assert/strict";
import { test } from "node:test";
import { Order } from "../../src/ui/inbox/order.js";

const keys = (order) => Array.from({ length: order.countFrom(-Infinity) }, (_, place) => order.at(place));

test("the highest rank comes first, and what moves is where it belongs", () => {
  const order = new Order();
  for (const [key, rank] of [["a", 3], ["b", 1], ["c", 2], ["b", 4], ["a", 3]]) order.put(key, rank);
  assert.deepEqual(keys(order), ["b", "a", "c"]);
  assert.deepEqual(["b", "a", "c", "d"].map((key) => order.indexOf(key)), [0, 1, 2, -1]);
  assert.deepEqual([order.countFrom(3), order.countFrom(0), order.countFrom(9)], [2, 3, 0]);
  order.remove("a");
  order.remove("never there");
  assert.deepEqual([keys(order), order.at(1), order.at(2)], [["b", "c"], "c", undefined]);
});

test("equal ranks are all kept", () => {
  const order = new Order();
  for (const key of ["b", "c", "a"]) order.put(key, 0);
  assert.deepEqual(keys(order), ["c", "b", "a"]);
  order.remove("b");
  assert.deepEqual([keys(order), order.countFrom(0)], [["c", "a"], 2]);
});

test("after any number of moves it is what sorting would have made of it", () => {
  const order = new Order();
  const ranks = new Map();
  let seed = 7;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  for (let turn = 0; turn < 5_000; turn++) {
    const key = `t${random(300)}`;
    if (random(10) === 0) {
      order.remove(key);
      ranks.delete(key);
    } else {
      order.put(key, turn);
      ranks.set(key, turn);
    }
  }
  const sorted = [...ranks].sort(([, a], [, b]) => b - a).map(([key]) => key);
  assert.deepEqual(keys(order), sorted);
  assert.ok(sorted.every((key, place) => order.indexOf(key) === place && order.at(place) === key));
});
