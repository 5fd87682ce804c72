import assert from "node:assert/strict";
import { test } from "node:test";
import { Typists, listed } from "../../src/ui/base/people.js";
import { ContactFacts } from "../../src/ui/inbox/contact-facts.js";
import { initials, named } from "../../src/ui/inbox/contact.js";

const consent = (rev, texts) => ({ rev, thread: "t1", kind: "consent", at: rev, texts, phone: "+14155550112", word: texts === "off" ? "STOP" : "START" });
const marker = (rev, link) => ({ rev, thread: "t1", kind: "marker", at: rev, text: `marker ${rev}`, link });

test("a contact has a name, or a number, and initials", () => {
  const of = (name, more) => ({ id: "c", name, phone: "+14155550112", ...more });
  assert.deepEqual([of("Ana Souza"), of("ana maria da souza"), of("Cher"), of("Ünal Öz"), of("+1415"), of("王 芳"), of("", { unknown: true })].map(initials),
    ["AS", "AS", "C", "ÜÖ", "#", "王芳", "#"]);
  assert.deepEqual([of("Ana"), of(""), { id: "c", name: "", phone: null }].map(named), ["Ana", "+14155550112", "Unknown"]);
});

test("the facts of a conversation are the newest first, however its pages come", () => {
  const facts = new ContactFacts();
  facts.take({ records: [consent(9, "off"), marker(8, "https://crm.example/2"), marker(7, "https://crm.example/1")], before: 7 });
  facts.take({ records: [consent(3, "on"), consent(2, "off")], before: null });
  facts.take({ records: [consent(3, "on")], before: null });
  assert.deepEqual(facts.consents.map(({ rev }) => rev), [9, 3, 2]);
  assert.deepEqual([facts.link.href, facts.before], ["https://crm.example/2", null]);
  assert.deepEqual([facts.apply(consent(10, "on")), facts.apply(marker(11, "https://crm.example/3")), facts.apply({ rev: 12, kind: "message" })], [true, true, false]);
  assert.deepEqual([facts.consents[0].rev, facts.link.href], [10, "https://crm.example/3"]);
});

test("a marker leads to the web, or nowhere", () => {
  const facts = new ContactFacts();
  for (const link of ["javascript:alert(1)", "data:text/html,x", undefined, null, "//crm.example"]) facts.take({ records: [marker(Math.random(), link)], before: null });
  assert.equal(facts.link, null);
});

test("names are listed as people say them", () => {
  assert.deepEqual([["Ana"], ["Ana", "Ben"], ["Ana", "Ben", "Kim"]].map(listed), ["Ana", "Ana and Ben", "Ana, Ben and Kim"]);
});

test("colleagues are answering, a customer is writing", () => {
  const client = Object.assign(new EventTarget(), { you: { role: "staff", sub: "sam" } });
  const leaving = new AbortController();
  const typists = new Typists(client, () => {}, { signal: leaving.signal });
  const typing = (who, on = true) => client.dispatchEvent(new CustomEvent("typing", { detail: { thread: "t1", who, on } }));
  typing({ kind: "customer", name: "Ana", contact: "ana" });
  typing({ kind: "staff", name: "Kim", sub: "kim" });
  typing({ kind: "staff", name: "Sam", sub: "sam" });
  assert.deepEqual([typists.answering("t1"), typists.customer("t1"), typists.answering("t2")], ["Kim is answering", true, ""]);
  typing({ kind: "staff", name: "Lee", sub: "lee" });
  assert.equal(typists.answering("t1"), "Kim and Lee are answering");
  typing({ kind: "staff", name: "Kim", sub: "kim" }, false);
  typing({ kind: "staff", name: "Lee", sub: "lee" }, false);
  assert.deepEqual([typists.answering("t1"), typists.sentence("t1")], ["", "Ana is typing…"]);
  leaving.abort();
});
