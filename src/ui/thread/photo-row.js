/**
 * The photos and files of a message's row.
 *
 *   patchPhotos(row, item, client);      // again whenever a part of an MMS was fetched
 *   showPicture(img, blob);
 *
 * Pictures are asked for with the reader's token when they come near the view,
 * and once more when the line is back. A click opens the whole pictures; a file is only ever downloaded.
 */
import { h, setText } from "../base/dom.js";
import { viewPhotos } from "./photo-viewer.js";

/** The longer side of a thumbnail on the page, in pixels. */
const SIDE = 240;

/** @param {HTMLElement} row @param {{record: any, media?: any[]}} item @param {import("../client.js").CrewlineClient} client */
export function patchPhotos(row, item, client) {
  const { record, media = [] } = item;
  const expected = record.media_expected ?? record.media?.length ?? 0;
  const sent = record.photos ?? [];
  if (expected + sent.length === 0) return;
  const look = `${sent.length} ${Object.keys(media).join()}`;
  const shown = /** @type {HTMLElement | null} */ (row.querySelector(".photos"));
  if (shown?.dataset.look === look) return;
  const parts = Array.from({ length: expected }, (_, index) => media[index]);
  const photos = [...sent, ...parts.map((one) => one?.photo).filter(Boolean)];
  const picture = (one) => photo(photos, one, client);
  const list = h("ul", { class: `photos ${grid(photos.length)}`, "data-testid": "photos", "data-look": look },
    ...sent.map(picture), ...parts.map((one) => part(one, picture, client)));
  if (shown) shown.replaceWith(list);
  else row.querySelector("[data-testid=text]")?.after(list);
}

/** Two and four stand in twos, three in a row, five in two rows. */
function grid(count) {
  if (count < 2) return "";
  return count === 3 ? "several" : count === 5 ? "several in-rows" : "several in-twos";
}

/** The browser keeps the picture; the URL is not needed once it is there. */
export function showPicture(picture, blob) {
  const url = URL.createObjectURL(blob);
  const forget = () => URL.revokeObjectURL(url);
  picture.addEventListener("load", forget, { once: true });
  picture.addEventListener("error", forget, { once: true });
  picture.src = url;
}

/** A part of an MMS. */
function part(fetched, picture, client) {
  if (!fetched) return h("li", { class: "part", "data-testid": "photo-expected" }, "A picture or file is being fetched…");
  if (fetched.photo) return picture(fetched.photo);
  if (fetched.file) return file(fetched.file, client);
  return h("li", { class: "part", "data-testid": "photo-failed" }, fetched.failed.sentence);
}

function photo(photos, one, client) {
  const { id, width = SIDE, height = SIDE } = one;
  const scale = Math.min(1, SIDE / Math.max(width, height));
  const picture = h("img", { alt: "Photo", width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)), "data-testid": "photo", "data-photo": id });
  const fetch = () => client.photo(id, "thumb").then((blob) => {
    picture.alt = "Photo";
    showPicture(picture, blob);
  }, ({ code }) => {
    picture.alt = "This photo cannot be shown";
    if (code !== "not_found") whenBack(client, () => picture.isConnected && fetch());
  });
  whenNear(picture, fetch);
  const open = ({ currentTarget }) => {
    currentTarget.focus();
    viewPhotos({ photos, index: photos.indexOf(one), client, root: currentTarget.getRootNode() });
  };
  return h("li", {}, h("button", { type: "button", class: "photo", "aria-label": photos.length > 1 ? `Open photo ${photos.indexOf(one) + 1} of ${photos.length}` : "Open the photo", onclick: open }, picture));
}

function file({ id, bytes }, client) {
  const said = h("span", { role: "status", "data-testid": "file-says" });
  const download = async () => {
    setText(said, "");
    const blob = await client.photo(id, "full").catch(() => null);
    if (!blob) return setText(said, " It could not be downloaded. Try again.");
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: `${id}.bin` }).click();
    URL.revokeObjectURL(url);
  };
  return h("li", { class: "part" },
    h("button", { type: "button", "data-testid": "file", onclick: download }, `Download a file (${Math.ceil(bytes / 1024)} KB)`), said);
}

/** Once, when the line is up again. */
function whenBack(client, act) {
  const heard = ({ detail: { state } }) => {
    if (state !== "live") return;
    client.removeEventListener("state", heard);
    act();
  };
  client.addEventListener("state", heard);
}

const near = new WeakMap();
const observer = globalThis.IntersectionObserver && new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    near.get(target)?.();
  }
}, { rootMargin: "600px", scrollMargin: "600px" });

function whenNear(element, act) {
  near.set(element, act);
  observer?.observe(element);
}
