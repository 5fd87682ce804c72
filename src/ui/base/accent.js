/**
 * The business's colour on its own pages: as it is where it can be read,
 * otherwise darker in the light and lighter in the dark, and black or white on
 * it, by contrast. What the page itself has set (--crewline-accent) goes first.
 *
 *   wearColour(element, client, signal);         // an element, or the page's root
 *   readable("#ffd400", "#f4f3ef");              // "#7f6a00"
 *   inkOn("#ffd400");                            // "#000000"
 */

/** What the accent is read on, by theme.css: the ground that leaves it least contrast. */
const GROUNDS = { light: "#f4f3ef", dark: "#22282b" };
/** WCAG's AA for text. */
const ENOUGH = 4.5;
const STEP = 0.04;

/**
 * @param {HTMLElement} element
 * @param {import("../client.js").CrewlineClient} client
 * @param {AbortSignal} signal
 */
export function wearColour(element, client, signal) {
  const wear = () => dress(element, client.org?.color);
  client.addEventListener("welcome", wear, { signal });
  wear();
}

/** @param {HTMLElement} element @param {string | undefined} color as `#rrggbb`; without one it is the house's */
export function dress(element, color) {
  const [light, dark] = isColor(color) ? [readable(color, GROUNDS.light), readable(color, GROUNDS.dark)] : [];
  set(element, "--org-accent", light && `light-dark(${light}, ${dark})`);
  set(element, "--org-accent-ink", light && `light-dark(${inkOn(light)}, ${inkOn(dark)})`);
}

/** The colour, moved away from the ground until it can be read there. */
export function readable(color, ground) {
  const away = luminance(rgb(ground)) > 0.18 ? 0 : 255;
  let found = rgb(color);
  for (let share = STEP; contrast(found, rgb(ground)) < ENOUGH && share <= 1; share += STEP) {
    found = rgb(color).map((part) => Math.round(part + (away - part) * share));
  }
  return hex(found);
}

/** Black or white, whichever is read better. */
export function inkOn(color) {
  return contrast(rgb(color), [0, 0, 0]) >= contrast(rgb(color), [255, 255, 255]) ? "#000000" : "#ffffff";
}

/** Of two colours, 1 to 21, as WCAG counts it. */
export function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function isColor(color) {
  return typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color);
}

export function rgb(color) {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}

function hex(parts) {
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function luminance(parts) {
  const [r, g, b] = parts.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function set(element, name, value) {
  if (value) element.style.setProperty(name, value);
  else element.style.removeProperty(name);
}
