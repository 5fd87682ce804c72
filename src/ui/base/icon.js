/**
 * Small drawings in the colour of the text around them; what they mean is said
 * by the button's label.
 *
 *   h("button", { "aria-label": "Search" }, icon("lens"))
 */
const SVG = "http://www.w3.org/2000/svg";

/** Strokes in a square of 24. */
const PATHS = {
  lens: "M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13zM15.5 15.5L20 20",
  photo: "M4 6.5h3l1.5-2h7l1.5 2h3a1 1 0 0 1 1 1v10.5a1 1 0 0 1-1 1h-16a1 1 0 0 1-1-1v-10.5a1 1 0 0 1 1-1zM12 9a3.75 3.75 0 1 0 0 7.5a3.75 3.75 0 1 0 0-7.5z",
  remove: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  send: "M12 19.5v-15M5.5 11l6.5-6.5l6.5 6.5",
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const attributes = { viewBox: "0 0 24 24", width: "20", height: "20", fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) drawing.setAttribute(key, value);
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}
