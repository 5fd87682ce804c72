/**
 * The page of a simulator's phones: what they got and sent, live, and what
 * somebody writes on them. It speaks the simulator's own HTTP, nothing of ours.
 */
import "../phone/phone.js";
import { h, setText } from "../base/dom.js";

/** The simulator holds an answer so long; seconds. */
const HOLD = 20;
const AGAIN_MS = 1_000;

const shelf = document.querySelector("#shelf");
const trouble = document.querySelector("#trouble");
const another = document.querySelector("#another");

/** By number. */
const phones = new Map();
let numbers = [];

another.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { phone, name } = Object.fromEntries(new FormData(another));
  if (await ask("PUT", `phones/${phone}`, { name: name.trim() || "A stranger" })) another.reset();
});

follow();

/** Loads everything, then what changes; from the start again when it was away too long. */
async function follow() {
  let last = null;
  for (;;) {
    try {
      if (last === null) last = showAll(await get("phones"));
      const news = await get(`events?after=${last}&wait=${HOLD}`);
      for (const { phone, message } of news.events ?? []) {
        const element = show(phone);
        if (message) element.put(message);
      }
      last = news.reset ? null : news.last;
      say("");
    } catch {
      last = null;
      say("The simulator does not answer. Trying again…");
      await new Promise((resume) => setTimeout(resume, AGAIN_MS));
    }
  }
}

function showAll(all) {
  numbers = all.numbers;
  const known = new Set(all.phones.map(({ phone }) => phone));
  for (const [number, element] of phones) {
    if (known.has(number)) continue;
    element.remove();
    phones.delete(number);
  }
  for (const phone of all.phones) {
    const element = show(phone);
    for (const message of phone.messages) element.put(message);
  }
  return all.last;
}

function show(about) {
  let element = phones.get(about.phone);
  if (!element) {
    element = h("crewline-phone", {
      ontext: ({ detail }) => send(element, about.phone, detail),
      onswitch: ({ detail }) => ask("PUT", `phones/${about.phone}`, detail),
    });
    phones.set(about.phone, element);
    shelf.append(element);
  }
  element.show(about, numbers);
  return element;
}

async function send(element, phone, text) {
  const told = await ask("POST", `phones/${phone}/texts`, text);
  const status = told?.webhook?.status;
  if (told) element.warn(status >= 200 && status < 300 ? "" : `Sent, but the webhook answered ${status ?? "nothing"}.`);
}

/** What was answered, or null after saying why not. */
async function ask(method, path, body) {
  try {
    const answer = await fetch(`/simulator/${path}`, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const said = await answer.json().catch(() => ({}));
    say(answer.ok ? "" : `Not done: ${said.error ?? `HTTP ${answer.status}`}.`);
    return answer.ok ? said : null;
  } catch {
    say("The simulator does not answer.");
    return null;
  }
}

async function get(path) {
  const answer = await fetch(`/simulator/${path}`);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

function say(text) {
  trouble.hidden = text === "";
  setText(trouble, text);
}
