import assert from "node:assert/strict";
import { test } from "node:test";
import { Search, summary } from "../../src/ui/search/search.js";

/** Answers when the test says so. */
function asked() {
  const questions = [];
  const ask = (question) => new Promise((answer, fail) => questions.push({ ...question, answer, fail }));
  const said = [];
  const search = new Search(ask, () => said.push(summary(search)));
  return { questions, search, said };
}

const hits = (...texts) => texts.map((text) => ({ record: { rev: 1 }, pieces: [{ text, hit: true }] }));
const texts = (search) => search.hits.map(({ pieces }) => pieces[0].text);

test("what was asked last is shown, however late another answer comes", async () => {
  const { questions, search } = asked();
  const first = search.look("le");
  const second = search.look(" leak ");
  assert.deepEqual(questions.map(({ q, sort, after }) => [q, sort, after]), [["le", "rank", undefined], ["leak", "rank", undefined]]);
  questions[1].answer({ hits: hits("leak"), next: null });
  await second;
  questions[0].answer({ hits: hits("lemon"), next: "9.20" });
  await first;
  assert.deepEqual(texts(search), ["leak"]);
  assert.equal(search.hasMore, false);
});

test("pages follow each other until there is none", async () => {
  const { questions, search, said } = asked();
  const looking = search.look("leak", "newest");
  questions[0].answer({ hits: hits("a", "b"), next: "41.0" });
  await looking;
  assert.equal(said.at(-1), "The first 2 that were found");
  const more = search.more();
  assert.deepEqual([questions[1].q, questions[1].sort, questions[1].after], ["leak", "newest", "41.0"]);
  search.more();
  assert.equal(questions.length, 2, "not twice at once");
  questions[1].answer({ hits: hits("c"), next: null });
  await more;
  assert.deepEqual(texts(search), ["a", "b", "c"]);
  await search.more();
  assert.equal(questions.length, 2);
  assert.equal(said.at(-1), "3 were found");
});

test("nothing to look for ends the search, and its answer is not shown", async () => {
  const { questions, search, said } = asked();
  const looking = search.look("leak");
  search.look("  ");
  questions[0].answer({ hits: hits("leak"), next: null });
  await looking;
  assert.deepEqual([search.state, texts(search), said.at(-1)], ["idle", [], ""]);
  assert.equal(questions.length, 1);
});

test("the same again is asked only after a failure", async () => {
  const { questions, search, said } = asked();
  const looking = search.look("leak");
  search.look("leak");
  assert.equal(questions.length, 1);
  questions[0].fail(new Error("the ledger cannot be read just now"));
  await looking;
  assert.match(said.at(-1), /cannot be read just now/);
  const again = search.look("leak");
  questions[1].answer({ hits: [], next: null });
  await again;
  assert.equal(said.at(-1), "Nothing was found");
});
