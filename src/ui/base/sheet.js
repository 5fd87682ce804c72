/**
 * Style sheets for shadow roots: fetched once for all elements of a page,
 * wherever the page itself comes from.
 *
 *   static sheets = await sheets("theme.css", "thread.css");      // in src/ui/styles
 *   root.adoptedStyleSheets = Element.sheets;
 */
/** @type {Map<string, Promise<CSSStyleSheet>>} */
const known = new Map();

/** @param {...string} names @returns {Promise<CSSStyleSheet[]>} */
export function sheets(...names) {
  return Promise.all(names.map((name) => {
    const sheet = known.get(name) ?? load(name);
    known.set(name, sheet);
    return sheet;
  }));
}

/** @param {string} name */
async function load(name) {
  const answer = await fetch(new URL(`../styles/${name}`, import.meta.url));
  if (!answer.ok) throw new Error(`${name} could not be loaded: HTTP ${answer.status}`);
  return new CSSStyleSheet().replace(bySize(await answer.text()));
}

/**
 * A rem is what the embedding page makes of it, and many make it 10 pixels. In a shadow root it is --size
 * of theme.css instead; in conditions, which know no properties, 16 pixels.
 * @param {string} css
 */
export function bySize(css) {
  const inConditions = (/** @type {string} */ condition) => condition.replace(REM, (_, n) => `${Number(n) * 16}px`);
  return css.replace(/@(?:media|container)[^{]*|[^@]+/g, (part) =>
    part.startsWith("@") ? inConditions(part) : part.replace(REM, (_, n) => `calc(${n} * var(--size))`));
}

const REM = /(-?\d*\.?\d+)rem\b/g;
