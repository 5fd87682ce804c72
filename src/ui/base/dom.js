/**
 * Elements without markup: what is given as text stays text.
 *
 *   h("p", { class: "note", "data-id": id }, h("b", {}, name), text)
 *   h("button", { type: "button", onclick: () => send() }, "Send")
 *   setText(element, text)        // leaves the node alone if it says so already
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
