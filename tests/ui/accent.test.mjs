import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, dress, inkOn, readable, rgb } from "../../src/ui/base/accent.js";

const LIGHT = "#f4f3ef";
const DARK = "#22282b";
const EVERY = ["#ffd400", "#e4002b", "#00a651", "#1f6a73", "#000000", "#ffffff", "#7f7f7f", "#0000ff", "#ff00ff", "#f4f3ef"];

test("contrast is WCAG's", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(contrast(rgb("#767676"), rgb("#ffffff")).toFixed(2), "4.54");
});

test("every colour can be read on its ground, and something can be read on it", () => {
  for (const ground of [LIGHT, DARK]) {
    for (const color of EVERY) {
      const found = readable(color, ground);
      assert.ok(contrast(rgb(found), rgb(ground)) >= 4.5, `${color} as ${found} on ${ground}`);
      assert.ok(contrast(rgb(found), rgb(inkOn(found))) >= 4.5, `${inkOn(found)} on ${found}`);
    }
  }
});

test("a colour that can be read is left as it is", () => {
  assert.equal(readable("#1f6a73", LIGHT), "#1f6a73");
  assert.equal(readable("#7cc4cb", DARK), "#7cc4cb");
});

test("what is no colour is not worn", () => {
  const worn = new Map();
  const element = { style: { setProperty: (name, value) => worn.set(name, value), removeProperty: (name) => worn.delete(name) } };
  dress(element, "#ffd400");
  assert.match(worn.get("--org-accent"), /^light-dark\(#[0-9a-f]{6}, #ffd400\)$/);
  assert.match(worn.get("--org-accent-ink"), /^light-dark\(#[0f]{6}, #000000\)$/);
  for (const color of [undefined, "red", "#fff", "#12345g", "url(x)"]) {
    dress(element, color);
    assert.equal(worn.size, 0, String(color));
  }
});
