/**
 * A contact in words.
 *
 *   named(contact)            // "Ana Souza", else the phone
 *   initials(contact)         // "AS"; "#" for a number without a name
 */

/** @typedef {{id: string, name: string, phone: string | null, unknown?: boolean}} Contact */

/** @param {Contact} contact */
export function named({ name, phone }) {
  return name || phone || "Unknown";
}

/** @param {Contact} contact */
export function initials({ name }) {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word));
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => (word ? [...word][0] : "")).join("");
  return letters.toLocaleUpperCase() || "#";
}
