/**
 * The card of a call that the AI receptionist handed over: folded, with the
 * tag; in it the transcript with its own times, and for the team what they
 * have to know.
 *
 *   const row = handoffRow(item);
 *   patchTranscript(row, item);       // a later record of a long one came
 */
import { h } from "../base/dom.js";
import { nearTime, timeElement } from "../base/time.js";

/** @param {import("./conversation.js").Item} item */
export function handoffRow(item) {
  const { record } = item;
  const { tag, index, parts, brief, seq, rev } = record;
  const turns = h("ol", {});
  const transcript = h("details", {
    "data-testid": "transcript",
    // Two thousand turns are built when somebody wants to read them.
    ontoggle: () => transcript.open && patchTranscript(row, item),
  }, h("summary", {}), turns);
  const row = h("article", { class: "message handoff", "data-testid": "handoff", "data-seq": seq, "data-rev": rev },
    h("header", {},
      h("b", { class: "tag", "data-testid": "handoff-tag" }, tag),
      index > 0 ? h("span", { class: "via" }, `part ${index + 1} of ${parts}`) : null,
      brief?.phone ? h("span", { class: "via" }, `call from ${brief.phone}`) : null,
      timeElement(record.at, undefined, { "data-testid": "time" })),
    h("div", { class: "bubble" }, brief ? briefing(record) : null, transcript),
    h("div", { class: "texts", "data-testid": "texts" }),
    h("footer", { "data-testid": "receipt" }));
  patchTranscript(row, item);
  return row;
}

const SPEAKERS = { caller: "Caller", ai: "AI" };

/** @param {HTMLElement} row @param {import("./conversation.js").Item} item */
export function patchTranscript(row, item) {
  const { record, parts } = item;
  const transcript = /** @type {HTMLDetailsElement} */ (row.querySelector("[data-testid=transcript]"));
  const turns = [record, ...parts.map((part) => part.record)].flatMap((part) => part.transcript);
  transcript.hidden = turns.length === 0;
  if (turns.length === 0) return;
  const summary = /** @type {HTMLElement} */ (transcript.querySelector("summary"));
  if (summary.dataset.turns !== String(turns.length)) {
    summary.dataset.turns = String(turns.length);
    summary.replaceChildren("What was said, ", nearTime(turns[0].at, record.at));
  }
  if (!transcript.open) return;
  const list = /** @type {HTMLElement} */ (transcript.querySelector("ol"));
  list.append(...turns.slice(list.childElementCount).map(({ at, speaker, text }) => h("li", { class: speaker },
    h("b", {}, SPEAKERS[speaker] ?? speaker), " ", nearTime(at, record.at), h("p", { dir: "auto" }, text))));
}

function briefing({ at, brief: { summary, reason, open_question, call_back_at } }) {
  const line = (testid, label, ...said) => h("div", { "data-testid": testid }, h("dt", {}, label), h("dd", { dir: "auto" }, ...said));
  return h("dl", { class: "brief" },
    line("handoff-summary", "Summary", summary),
    line("handoff-reason", "Reason", reason),
    open_question ? line("handoff-question", "Open question", open_question) : null,
    call_back_at ? line("handoff-call-back", "Call back promised for", nearTime(call_back_at, at)) : null);
}
