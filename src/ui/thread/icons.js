/**
 * The few signs on buttons, drawn in the colour of their text.
 *
 *   h("button", { type: "button", "aria-label": "Add photos" }, icon("photo"))
 */
const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  photo: "M4 6.5h3l1.5-2h7l1.5 2h3a1 1 0 0 1 1 1v10.5a1 1 0 0 1-1 1h-16a1 1 0 0 1-1-1v-10.5a1 1 0 0 1 1-1zM12 9a3.75 3.75 0 1 0 0 7.5a3.75 3.75 0 1 0 0-7.5z",
  send: "M12 19.5v-15M5.5 11l6.5-6.5l6.5 6.5",
  remove: "M6.5 6.5l11 11M17.5 6.5l-11 11",
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
