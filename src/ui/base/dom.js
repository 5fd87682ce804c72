/**
 * Elements without markup: what is given as text stays text.
 *
 *   h("p", { class: "note", "data-id": id }, h("b", {}, name), text)
 *   h("button", { type: "button", onclick: () => send() }, "Send")
 *   setText(element, text)        // leaves the node alone if it says so already
 *   keepFocus(row, () => row.remove(), () => list)      // the focus does not fall off the page
 */

/** @typedef {Node | string | null | undefined} Child what is missing is left out */

/**
 * @template {string} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes] `on…` are listeners; null and false are left out
 * @param {...Child} children
 * @returns {Tag extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag] : HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = /** @type {any} */ (document.createElement(tag));
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Changes a place where somebody may have the focus. If it went with what was
 * there, another element gets it.
 * @param {Element} place
 * @param {() => void} change
 * @param {() => HTMLElement | null | undefined | void} next
 */
export function keepFocus(place, change, next) {
  const root = /** @type {Document | ShadowRoot} */ (place.getRootNode());
  if (!place.matches(":focus-within")) return change();
  change();
  const { activeElement } = root;
  const lost = activeElement === null || activeElement === document.body
    || activeElement.matches(":disabled") || !activeElement.checkVisibility({ visibilityProperty: true });
  if (lost) next()?.focus();
}
