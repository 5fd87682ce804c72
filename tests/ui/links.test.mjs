import assert from "node:assert/strict";
import { before, test } from "node:test";
import { linked, onlyEmoji } from "../../src/ui/thread/links.js";

before(() => {
  globalThis.document = {
    createElement: (tag) => ({
      tag, attributes: {}, text: "",
      setAttribute(name, value) { this.attributes[name] = value; },
      append(...children) { this.text += children.join(""); },
    }),
  };
});

/** Links in brackets. */
const read = (text) => linked(text).map((part) => (typeof part === "string" ? part : `[${part.attributes.href}]`)).join("");

test("addresses are links, and the sentence around them is not", () => {
  assert.equal(read("see https://a.test/x."), "see [https://a.test/x].");
  assert.equal(read("(https://a.test/x)"), "([https://a.test/x])");
  assert.equal(read("https://a.test/x_(y), and http://b.test?!"), "[https://a.test/x_(y)], and [http://b.test]?!");
  assert.equal(read("“https://a.test/”"), "“[https://a.test/]”");
  assert.equal(read("HTTPS://A.TEST"), "[HTTPS://A.TEST]");
  assert.equal(read("no address: example.com, mailto:a@b.test"), "no address: example.com, mailto:a@b.test");
});

test("nothing but http and https is a link, and a broken address is a text", () => {
  for (const text of ["javascript:alert(1)", "data:text/html,x", "xhttps://a.test", "https://", "http://["]) {
    assert.equal(read(text), text);
  }
});

test("the text is whole, and a link opens safely", () => {
  const text = "a https://a.test/?q=1&b=<2> b https://b.test/";
  assert.equal(linked(text).map((part) => part.text ?? part).join(""), text);
  const link = linked(text).find((part) => part.tag === "a");
  assert.deepEqual(link.attributes, { href: "https://a.test/?q=1&b=", target: "_blank", rel: "noopener noreferrer nofollow ugc" });
});

test("a few emoji alone are shown large", () => {
  for (const text of ["👍", "👍🏽", "👨‍👩‍👧 ❤️", "🇧🇷", "😀 😀 😀"]) assert.equal(onlyEmoji(text), true, text);
  for (const text of ["", "ok", "12", "👍 ok", "😀😀😀😀", "#", "*"]) assert.equal(onlyEmoji(text), false, text);
});
