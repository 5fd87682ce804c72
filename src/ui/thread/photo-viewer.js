/**
 * A message's photos, one at a time, as large as the window: arrow keys, swipe
 * or buttons lead on, Escape or a click beside the photo leads back to where
 * the reader was.
 *
 *   viewPhotos({ photos, index, client, root });      // root: where the styles are
 *
 * @typedef {{id: string, width?: number, height?: number}} Photo
 */
import { h, keepFocus, setText } from "../base/dom.js";

/** A finger that moves this far sideways wants the next one, in pixels. */
const SWIPE = 48;

/** @param {{photos: Photo[], index: number, client: import("../client.js").CrewlineClient, root: Node}} shown */
export function viewPhotos({ photos, index, client, root }) {
  const from = /** @type {ShadowRoot} */ (root).activeElement;
  let at = index;
  let startX = 0;
  /** @type {string | null} */
  let url = null;

  const picture = h("img", { alt: "Photo", "data-testid": "photo-full", draggable: "false" });
  const place = h("p", { role: "status", class: "place" });
  const download = h("a", { class: "tool", "aria-label": "Download", title: "Download", "data-testid": "photo-download" }, "↓");
  const previous = tool("Previous photo", "photo-previous", "‹", () => go(-1));
  const next = tool("Next photo", "photo-next", "›", () => go(1));
  const close = tool("Close", "photo-close", "×", () => dialog.close());
  const dialog = h("dialog", {
    class: "lightbox", "aria-label": "Photo",
    onkeydown: key, onclose: closed,
    onclick: ({ target }) => target === dialog && dialog.close(),
    onpointerdown: ({ clientX }) => { startX = clientX; },
    onpointerup: ({ clientX, target }) => {
      if (target === picture && Math.abs(clientX - startX) >= SWIPE) go(toRight() * Math.sign(startX - clientX));
    },
  }, picture, h("div", { class: "tools" }, place, download, close), ...(photos.length > 1 ? [previous, next] : []));
  (/** @type {Document} */ (root).body ?? root).append(dialog);
  dialog.showModal();
  show();

  function key({ key: name }) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[name];
    if (step) go(toRight() * step);
  }

  /** From right to left the photo before stands there. */
  function toRight() {
    return getComputedStyle(dialog).direction === "rtl" ? -1 : 1;
  }

  function go(step) {
    const there = at + step;
    if (there < 0 || there >= photos.length) return;
    at = there;
    show();
  }

  async function show() {
    const { id, width, height } = photos[at];
    setText(place, photos.length > 1 ? `${at + 1} of ${photos.length}` : "");
    keepFocus(dialog, () => {
      previous.disabled = at === 0;
      next.disabled = at === photos.length - 1;
    }, () => (at === 0 ? next : previous));
    forget();
    picture.alt = "Photo";
    // It has its size before it is there.
    if (width && height) Object.assign(picture, { width, height });
    const blob = await client.photo(id, "full").catch(() => null);
    if (photos[at].id !== id || !dialog.isConnected) return;
    if (!blob) {
      picture.alt = "This photo cannot be shown";
      return;
    }
    url = URL.createObjectURL(blob);
    picture.src = url;
    download.href = url;
    download.download = `photo-${id}.jpg`;
  }

  function forget() {
    if (url) URL.revokeObjectURL(url);
    url = null;
    picture.removeAttribute("src");
    download.removeAttribute("href");
  }

  function closed() {
    forget();
    dialog.remove();
    /** @type {HTMLElement | null} */ (from)?.focus({ preventScroll: true });
  }
}

function tool(label, testid, sign, act) {
  return h("button", { type: "button", class: "tool", "aria-label": label, title: label, "data-testid": testid, onclick: act }, sign);
}
