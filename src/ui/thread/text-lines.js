/**
 * What is said under a message of the texts that carry it on: to the customer
 * of the own phone, to the team of the customer's, and of copies to business
 * phones only what went wrong.
 *
 *   patchTexts(row, item, client, (attempts) => client.resend(…));
 *
 * A failure is told by a sign and by words, so that no colour is needed to see
 * it. The lines are left alone while they say the same: somebody may be about
 * to press a button there.
 */
import { h, keepFocus } from "../base/dom.js";

const SIGNS = { failed: "!", unknown: "?", not_texted: "–" };

/** @param {(attempts: string[]) => Promise<void>} resend */
export function patchTexts(row, { texts }, client, resend) {
  const place = row.querySelector("[data-testid=texts]");
  const lines = client.you.role === "customer" ? linesOf([texts.customer], FOR_CUSTOMER, "sms")
    : [...linesOf([texts.customer], FOR_TEAM, "sms"), ...linesOf(texts.copies, OF_COPY, "copy")];
  const look = JSON.stringify(lines.map(({ leg: { state, again }, said }) => [state, said, again]));
  if (place.dataset.look === look) return;
  place.dataset.look = look;
  keepFocus(place, () => place.replaceChildren(...lines.map((line) => lineElement(line, resend))),
    () => place.querySelector("button") ?? place.closest("[role=log]"));
}

function linesOf(legs, sentences, testid) {
  return legs.map((leg) => ({ leg, testid, said: leg && sentences[leg.state]?.(leg) })).filter(({ said }) => said);
}

const FOR_CUSTOMER = {
  sent: ({ ending }) => `Texted to your phone ending ${ending}`,
  delivered: ({ ending }) => `Texted to your phone ending ${ending} · Delivered`,
  failed: ({ sentence }) => sentence,
  unknown: ({ sentence }) => sentence,
  not_texted: ({ sentence }) => sentence,
};

const FOR_TEAM = {
  sending: ({ to, reason, by }) => reason ? `To be texted again: ${reason}`
    : by ? `Being texted again to ${to}, by ${by.name}` : `Being texted to ${to}`,
  sent: ({ to }) => `Texted to ${to}`,
  delivered: ({ to }) => `Texted to ${to} · Delivered`,
  failed: (leg) => `Text to ${leg.to} failed: ${why(leg)}`,
  unknown: (leg) => `Text to ${leg.to} may have failed: ${why(leg)}`,
  not_texted: ({ reason }) => reason,
};

const OF_COPY = {
  failed: (leg) => `No copy to ${leg.to}: ${why(leg)}`,
  unknown: ({ to }) => `Copy to ${to}: not known whether it was texted`,
  not_texted: ({ to, reason }) => `No copy to ${to}: ${reason}`,
};

function why({ reason, code }) {
  return [reason ?? "no reason was given.", code && `(${code})`].filter(Boolean).join(" ");
}

function lineElement({ leg: { state, again, mayDouble }, testid, said }, resend) {
  const sign = SIGNS[state];
  const look = testid === "copy" ? "copy" : sign ? "wrong" : "well";
  const line = h("div", { class: `sms ${look}`, "data-testid": testid, "data-state": state },
    sign ? h("span", { class: "sign", "aria-hidden": "true" }, sign) : null, h("span", { class: "said" }, said));
  if (testid === "sms" && again.length > 0) line.append(resendButton(() => resend(again), mayDouble));
  return line;
}

/** Where it may text twice, it is asked first. */
function resendButton(resend, mayDouble) {
  const place = h("span", { class: "again" });
  let sends = false;
  const button = (testid, label, act) => h("button", { type: "button", "data-testid": testid, onclick: () => sends || act() }, label);
  const last = () => /** @type {HTMLElement} */ (place.lastElementChild);
  /** @param {string | null} trouble */
  const offer = (trouble = null) => keepFocus(place, () => place.replaceChildren(
    ...(trouble ? [h("span", { role: "alert" }, trouble)] : []), button("resend", "Send again", mayDouble ? ask : send)), last);
  const ask = () => {
    place.replaceChildren(h("span", {}, "It may have arrived: this may text it twice."),
      button("resend-sure", "Send it anyway", send), button("resend-not", "Leave it", () => offer()));
    // A second click or Enter by the way leaves it.
    last().focus();
  };
  const send = async () => {
    sends = true;
    // Not really disabled: whoever has just pressed it would lose the focus.
    for (const each of place.querySelectorAll("button")) each.ariaDisabled = "true";
    // That it is on its way is told by a record.
    const trouble = await resend().then(() => null, (error) => `Not sent again: ${error.message}.`);
    sends = trouble === null;
    if (trouble) offer(trouble);
  };
  offer();
  return place;
}
