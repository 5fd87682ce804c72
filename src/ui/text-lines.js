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
import { h } from "./dom.js";

const SIGNS = { failed: "!", unknown: "?", not_texted: "–" };

/** @param {(attempts: string[]) => Promise<void>} resend */
export function patchTexts(row, { texts }, client, resend) {
  const place = row.querySelector("[data-testid=texts]");
  const staff = client.you.role !== "customer";
  const lines = [];
  const { customer } = texts;
  const said = customer && (staff ? FOR_TEAM : FOR_CUSTOMER)[customer.state]?.(customer);
  if (said) lines.push({ testid: "sms", said, leg: customer, again: staff ? customer.again : [] });
  for (const leg of staff ? texts.copies : []) {
    const said = OF_COPY[leg.state]?.(leg);
    if (said) lines.push({ testid: "copy", said, leg, again: [] });
  }
  const look = JSON.stringify(lines.map(({ said, leg: { state }, again }) => [said, state, again]));
  if (place.dataset.look === look) return;
  place.dataset.look = look;
  place.replaceChildren(...lines.map((line) => lineElement(line, resend)));
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

function lineElement({ testid, said, leg: { state, mayDouble }, again }, resend) {
  const line = h("div", { class: "sms", "data-testid": testid, "data-state": state },
    SIGNS[state] ? h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[state]) : null,
    h("span", { class: "said" }, said));
  if (again.length > 0) line.append(resendButton(() => resend(again), mayDouble));
  return line;
}

/** Where it may text twice, it is asked first. */
function resendButton(resend, mayDouble) {
  const place = h("span", { class: "again" });
  const button = (testid, label, act) => h("button", { type: "button", "data-testid": testid, onclick: act }, label);
  const offer = (trouble) => place.replaceChildren(...(trouble ? [h("span", { role: "alert" }, trouble)] : []),
    button("resend", "Send again", mayDouble ? ask : send));
  const ask = () => {
    place.replaceChildren(h("span", {}, "It may have arrived: this may text it twice."),
      button("resend-sure", "Send it anyway", send), button("resend-not", "Leave it", () => offer()));
    place.querySelector("button").focus();
  };
  const send = async () => {
    for (const each of place.querySelectorAll("button")) each.disabled = true;
    // That it is on its way is told by a record.
    await resend().catch((error) => offer(`Not sent again: ${error.message}.`));
  };
  offer();
  return place;
}
