/**
 * The person whose page this is: takes the token out of the link, keeps it for
 * reloads, and makes the client.
 *
 *   const client = openSession();      // null: there is no token; the page says so
 *
 * The link is `/portal#token=…`. A fragment never reaches a server, and it is
 * taken from the address at once, so that it is neither shared nor remembered.
 */
import { CrewlineClient } from "./client.js";

/** Per page, since one browser tab may visit the portal and the CRM. */
const KEY = `crewline.token ${location.pathname}`;
const MARK = "#token=";

/** @returns {CrewlineClient | null} */
export function openSession() {
  takeToken();
  // A second link opened over this page only changes the fragment.
  window.addEventListener("hashchange", () => takeToken() && location.reload());
  const token = stored();
  return token ? new CrewlineClient({ token }) : null;
}

/** Says why there is nothing here, in place of the page. */
export function sayNoSession(main, sentence = "This page opens with your personal link. Please use the link that you were given.") {
  const paragraph = document.createElement("p");
  paragraph.className = "plain";
  paragraph.dataset.testid = "no-session";
  paragraph.textContent = sentence;
  main.replaceChildren(paragraph);
}

let inMemory = null;

function takeToken() {
  if (!location.hash.startsWith(MARK)) return false;
  inMemory = location.hash.slice(MARK.length);
  history.replaceState(null, "", location.pathname + location.search);
  try {
    sessionStorage.setItem(KEY, inMemory);
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
