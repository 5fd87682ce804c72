import assert from "node:assert/strict";
import { test } from "node:test";
import { bySize } from "../../src/ui/base/sheet.js";

test("sizes are the element's own, whatever the page makes of a rem", () => {
  assert.equal(bySize("p { margin: -0.5rem 2rem; width: min(22rem, calc(100vw - .5rem)); }"),
    "p { margin: calc(-0.5 * var(--size)) calc(2 * var(--size)); width: min(calc(22 * var(--size)), calc(100vw - calc(.5 * var(--size)))); }");
  assert.equal(bySize("b { top: 1rem }\n@container (max-width: 47.99rem) { p { top: 1rem } }\n@media (max-width: 40rem) { a { top: 0 } }"),
    "b { top: calc(1 * var(--size)) }\n@container (max-width: 767.84px) { p { top: calc(1 * var(--size)) } }\n@media (max-width: 640px) { a { top: 0 } }");
  assert.equal(bySize("@import url(x.css);\n@supports (x: y) { i { top: 3rem } }").endsWith("top: calc(3 * var(--size)) } }"), true);
});
