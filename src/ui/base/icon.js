/**
 * Small drawings in the colour of the text around them; what they mean is said
 * by the button's label.
 *
 *   h("button", { "aria-label": "Search" }, icon("lens"))
 */
const SVG = "http://www.w3.org/2000/svg";

/** Strokes in a square of 24. */
const PATHS = {
  back: "M15 4.5 7.5 12l7.5 7.5",
  bell: "M6 16.5V10.5a6 6 0 0 1 12 0v6l1.5 2.25H4.5zM10.05 21.3a2.25 2.25 0 0 0 3.9 0",
  "bell-off": "M6 16.5V10.5a6 6 0 0 1 9.75-4.65M18 10.5v6l1.5 2.25H8.25M10.05 21.3a2.25 2.25 0 0 0 3.9 0M3.75 21 20.25 3.75",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  contact: "M12 12.3a3.9 3.9 0 1 0 0-7.8 3.9 3.9 0 0 0 0 7.8ZM4.5 20.25c0.75-3.6 3.6-5.55 7.5-5.55s6.75 1.95 7.5 5.55",
  done: "m4.5 12.75 4.8 4.8L19.5 7.5",
  keys: "M3.75 6.75h16.5v10.5h-16.5zM7.5 10.5h0.01M12 10.5h0.01M16.5 10.5h0.01M8.25 14.1h7.5",
  lens: "M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13zM15.5 15.5L20 20",
  pen: "M4.5 19.5l1.05-4.35 10.5-10.5a2.1 2.1 0 0 1 3.3 3.3l-10.5 10.5zM14.25 6.45l3.3 3.3",
  photo: "M4 6.5h3l1.5-2h7l1.5 2h3a1 1 0 0 1 1 1v10.5a1 1 0 0 1-1 1h-16a1 1 0 0 1-1-1v-10.5a1 1 0 0 1 1-1zM12 9a3.75 3.75 0 1 0 0 7.5a3.75 3.75 0 1 0 0-7.5z",
  send: "M12 19.5v-15M5.5 11l6.5-6.5l6.5 6.5",
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const attributes = { viewBox: "0 0 24 24", width: "20", height: "20", fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) drawing.setAttribute(key, value);
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}
