/**
 * The person whose page this is: takes the token out of the link, keeps it for
 * reloads, hands it to the elements, and shows whose page it is.
 *
 *   signIn(main, elements);            // false: there is no token, and `main` says so
 *
 * The link is `/portal#token=…`. A fragment never reaches a server, and the token
 * is taken out of it at once, so that it is neither shared nor remembered; what
 * stands beside it (`&message=12`) stays.
 */
import { h, setText } from "../base/dom.js";

/** Per page, since one browser tab may visit the portal and the CRM. */
const KEY = `crewline.token ${location.pathname}`;

/**
 * @param {Element} main
 * @param {Iterable<Element & {token: string | null}>} elements
 */
export function signIn(main, elements) {
  takeToken();
  // A second link opened over this page only changes the fragment.
  window.addEventListener("hashchange", () => takeToken() && location.reload());
  document.addEventListener("crewline-welcome", ({ detail: { you, org } }) => {
    for (const [place, text] of [["#person", you.name], ["#business", org?.name ?? ""]]) {
      const element = document.querySelector(place);
      if (element) setText(element, text);
    }
  });
  const token = stored();
  if (!token) {
    sayNoSession(main);
    return false;
  }
  for (const element of elements) element.token = token;
  return true;
}

/** Says why there is nothing here, in place of the page. @param {Element} main */
function sayNoSession(main) {
  main.replaceChildren(
    h("h1", { class: "unseen" }, document.title),
    h("p", { class: "plain", "data-testid": "no-session" }, "This page opens with your personal link. Please use the link that you were given."));
}

/** @type {string | null} */
let inMemory = null;

function takeToken() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (!parts.has("token")) return false;
  inMemory = parts.get("token");
  parts.delete("token");
  const rest = parts.size > 0 ? `#${parts}` : "";
  history.replaceState(null, "", location.pathname + location.search + rest);
  try {
    sessionStorage.setItem(KEY, inMemory ?? "");
  } catch { /* without storage the page works until it is reloaded */ }
  return true;
}

function stored() {
  try {
    return inMemory ?? sessionStorage.getItem(KEY);
  } catch {
    return inMemory;
  }
}
