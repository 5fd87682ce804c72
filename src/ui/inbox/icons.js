/**
 * Small pictures for buttons that have a name of their own.
 *
 *   h("button", { type: "button", "aria-label": "Back" }, icon("back"))
 */
const PATHS = {
  back: "M10 3 5 8l5 5",
  bell: "M4 11V7a4 4 0 0 1 8 0v4l1 1.5H3zM6.7 14.2a1.5 1.5 0 0 0 2.6 0",
  "bell-off": "M4 11V7a4 4 0 0 1 6.5-3.1M12 7v4l1 1.5H5.5M6.7 14.2a1.5 1.5 0 0 0 2.6 0M2.5 14 13.5 2.5",
  close: "m4 4 8 8m0-8-8 8",
  contact: "M8 8.2a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2ZM3 13.5c.5-2.4 2.4-3.7 5-3.7s4.5 1.3 5 3.7",
  done: "m3 8.5 3.2 3.2L13 5",
  keys: "M2.5 4.5h11v7h-11zM5 7h.01M8 7h.01M11 7h.01M5.5 9.4h5",
  pen: "M3 13l.7-2.9 7-7a1.4 1.4 0 0 1 2.2 2.2l-7 7zM9.5 4.3l2.2 2.2",
};

/** @param {keyof typeof PATHS} name */
export function icon(name) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [attribute, value] of [["viewBox", "0 0 16 16"], ["class", "icon"], ["aria-hidden", "true"]]) picture.setAttribute(attribute, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  picture.append(path);
  return picture;
}
