/**
 * The page of a simulator's phones: the business's first, then all others.
 */
import "../phone.js";
import { h, setText } from "../base/dom.js";
import { follow } from "../phone/feed.js";

const [shelf, trouble] = /** @type {HTMLElement[]} */ (["#shelf", "#trouble"].map((id) => document.querySelector(id)));
const another = /** @type {HTMLFormElement} */ (document.querySelector("#another"));

const { feed } = follow(location.origin);
/** By number. */
const phones = new Map();

feed.addEventListener("loaded", show);
feed.addEventListener("phone", show);
feed.addEventListener("trouble", () => say(feed.trouble));

another.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { phone, name } = Object.fromEntries(new FormData(another));
  try {
    await feed.put(String(phone), { name: String(name).trim() || "A stranger" });
    say("");
    another.reset();
  } catch (error) {
    say(`Not done: ${/** @type {Error} */ (error).message}.`);
  }
});

function show() {
  for (const [number, element] of phones) {
    if (feed.phones.has(number)) continue;
    element.remove();
    phones.delete(number);
  }
  for (const { phone, business } of feed.phones.values()) {
    if (!phones.has(phone)) {
      phones.set(phone, h("crewline-phone", { phone, "data-phone": phone }));
      shelf.append(phones.get(phone));
    }
    phones.get(phone).classList.toggle("crew", business);
  }
}

/** @param {string} text */
function say(text) {
  trouble.hidden = text === "";
  setText(trouble, text);
}
