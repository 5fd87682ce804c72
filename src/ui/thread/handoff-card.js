/**
 * The card of a call that the AI receptionist handed over: folded, with the
 * tag; in it the transcript with its own times, and for the team what they
 * have to know.
 *
 *   const row = handoffRow(item, client);
 *   gather(log);      // later records of a long transcript go into their card
 */
import { h } from "../base/dom.js";
import { nearTime, timeElement } from "../base/time.js";

/** @param {import("./conversation.js").Item} item */
export function handoffRow({ record }, client) {
  const { tag, transcript, index, parts, of, brief, seq, rev } = record;
  const turns = transcript.map(({ at, speaker, text }) => h("li", { class: speaker },
    h("b", {}, SPEAKERS[speaker] ?? speaker), " ", nearTime(at, record.at), h("p", { dir: "auto" }, text)));
  const called = transcript[0]?.at ?? record.at;
  return h("article", { class: "message handoff", "data-testid": "handoff", "data-author": "handoff", "data-seq": seq, "data-rev": rev, "data-of": of },
    h("header", {},
      h("b", { class: "tag", "data-testid": "handoff-tag" }, tag),
      index > 0 ? h("span", { class: "via" }, `part ${index + 1} of ${parts}`) : null,
      brief?.phone ? h("span", { class: "via" }, `call from ${brief.phone}`) : null,
      timeElement(record.at, undefined, { "data-testid": "time" })),
    brief ? briefing(brief) : null,
    turns.length > 0 || index > 0
      ? h("details", { "data-testid": "transcript" },
        h("summary", {}, "What was said, ", nearTime(called, record.at)),
        h("ol", {}, ...turns))
      : null,
    h("footer", { "data-testid": "receipt" }),
    h("div", { class: "texts", "data-testid": "texts" }));
}

const SPEAKERS = { caller: "Caller", ai: "AI" };

/** Moves the later records of a transcript into the card of the first one, once that is there. */
export function gather(log) {
  for (const part of log.querySelectorAll(".handoff[data-of]")) {
    const card = log.querySelector(`.handoff[data-seq="${part.dataset.of}"] ol`);
    if (!card) continue;
    card.append(...part.querySelectorAll("li"));
    part.remove();
  }
}

function briefing({ summary, reason, open_question, call_back_at }) {
  const line = (testid, label, ...said) => h("div", { "data-testid": testid }, h("dt", {}, label), h("dd", { dir: "auto" }, ...said));
  return h("dl", { class: "brief" },
    line("handoff-summary", "Summary", summary),
    line("handoff-reason", "Reason", reason),
    open_question ? line("handoff-question", "Open question", open_question) : null,
    call_back_at ? line("handoff-call-back", "Call back promised for", nearTime(call_back_at, Date.now())) : null);
}
