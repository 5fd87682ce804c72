/**
 * What this browser remembers of how somebody likes the inbox. Without storage
 * it is forgotten with the page.
 *
 *   remember("filter", "waiting");
 *   remembered("filter") ?? "all"
 */
const PREFIX = "crewline.inbox.";

/** @param {string} name @param {string} value */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch { /* forbidden, or full */ }
}

/** @param {string} name @returns {string | null} */
export function remembered(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}
