/**
 * <crewline-photos>: the photos of a message that is being written. They upload
 * while the text is typed; each shows how far it is, can be taken out, and is
 * tried again when the line is back.
 *
 *   tray.carrier = client;                // anything with `limits.photos`, `upload` and `photo`
 *   tray.addEventListener("change", () => ...);       // not by setting `photos`
 *   tray.addEventListener("uploaded", () => ...);     // also when its draft is not on screen any more
 *   tray.busy, tray.failed, tray.tooMany
 *   tray.ids                              // what a message can name now
 *   tray.photos = tray.photos;            // to be kept with a draft: Photo[]
 *   tray.retry();
 *
 * With the attribute `accept` it asks for other kinds than JPG and PNG. To ask
 * for these makes phones convert what their cameras take.
 *
 * @typedef {object} Photo
 * @property {string} [id] once it is uploaded
 * @property {File} [file]
 * @property {string} [failed] why it was not taken, for people
 * @property {string} [code] the same, for programs
 * @property {boolean} [again] it may be taken another time
 * @property {number} [done] 0 to 1
 * @property {AbortController} [upload] while it is under way
 *
 * @typedef {object} Carrier
 * @property {{photos: number}} limits
 * @property {(file: File, options: {signal: AbortSignal, progress: (done: number) => void}) => Promise<{id: string}>} upload
 * @property {(id: string, size: "thumb") => Promise<Blob>} photo
 */
import { h, keepFocus, setText } from "../base/dom.js";
import { icon } from "../base/icon.js";
import { showPicture } from "./photo-row.js";

/** Before somebody carries them. @type {Carrier} */
const NOBODY = { limits: { photos: 0 }, upload: () => Promise.reject(new Error("nobody takes photos")), photo: () => Promise.reject(new Error("nobody has photos")) };

export class PhotoTray extends HTMLElement {
  /** @type {Photo[]} */
  #photos = [];
  /** @type {Map<Photo, HTMLElement>} */
  #tiles = new Map();
  /** @type {Carrier} */
  carrier = NOBODY;

  #pick = h("input", { type: "file", accept: "image/jpeg,image/png", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true", "data-testid": "photo-input" });
  #list = h("ul", { class: "tray", role: "list", "aria-label": "Photos to be sent" });
  #refusal = h("p", { class: "refusal", role: "alert", "data-testid": "photo-refusal" });

  constructor() {
    super();
    this.#pick.addEventListener("change", () => {
      this.add([...(this.#pick.files ?? [])]);
      this.#pick.value = "";
    });
  }

  connectedCallback() {
    this.#pick.accept = this.getAttribute("accept") ?? this.#pick.accept;
    this.replaceChildren(this.#pick, this.#list, this.#refusal);
  }

  /** Asks which photos. */
  choose() {
    this.#pick.click();
  }

  get busy() {
    return this.#photos.some(({ upload }) => upload);
  }

  get failed() {
    return this.#photos.some(({ failed }) => failed);
  }

  get tooMany() {
    return this.#photos.length > this.carrier.limits.photos;
  }

  get ids() {
    return this.#photos.map(({ id }) => id).filter(Boolean);
  }

  get photos() {
    return this.#photos;
  }

  set photos(photos) {
    this.#photos = photos;
    this.#refuse();
    this.#show();
  }

  /** @param {File[]} files */
  add(files) {
    this.#refuse();
    const most = this.carrier.limits.photos;
    const room = Math.max(0, most - this.#photos.length);
    if (files.length > room) this.#refuse("too_many_photos", `A message carries at most ${most} photos. Send the others in a second one.`);
    for (const file of files.slice(0, room)) {
      const photo = { file };
      this.#photos.push(photo);
      this.#upload(photo);
    }
    this.#changed();
  }

  /** What broke off on the way. */
  retry() {
    for (const photo of this.#photos) if (photo.again) this.#upload(photo);
  }

  /** @param {Photo} photo */
  async #upload(photo) {
    const upload = new AbortController();
    Object.assign(photo, { failed: undefined, code: undefined, again: undefined, done: 0, upload });
    this.#changed();
    try {
      const { id } = await this.carrier.upload(/** @type {File} */ (photo.file), {
        signal: upload.signal,
        progress: (done) => {
          photo.done = done;
          this.#patch(photo);
        },
      });
      photo.id = id;
    } catch (thrown) {
      if (upload.signal.aborted) return;
      const error = /** @type {import("../client/api.js").CrewlineError} */ (thrown);
      Object.assign(photo, { failed: error.message, code: error.code, again: error.retry });
    }
    photo.upload = undefined;
    this.dispatchEvent(new Event("uploaded"));
    if (this.#photos.includes(photo)) this.#changed();
  }

  /** @param {Photo} photo */
  #remove(photo) {
    photo.upload?.abort();
    const next = this.#photos.indexOf(photo);
    this.photos = this.#photos.filter((other) => other !== photo);
    // The focus does not get lost with the button.
    const there = this.#list.children[Math.min(next, this.#photos.length - 1)];
    (/** @type {HTMLElement | null | undefined} */ (there?.querySelector(".remove")) ?? this.closest("crewline-composer"))?.focus();
    this.dispatchEvent(new Event("change"));
  }

  #refuse(code = "", message = "") {
    this.#refusal.dataset.code = code;
    setText(this.#refusal, message);
  }

  #changed() {
    this.#show();
    this.dispatchEvent(new Event("change"));
  }

  #show() {
    for (const [photo, tile] of this.#tiles) {
      if (this.#photos.includes(photo)) continue;
      tile.remove();
      this.#tiles.delete(photo);
    }
    for (const photo of this.#photos) {
      if (!this.#tiles.has(photo)) {
        const tile = this.#tile(photo);
        this.#tiles.set(photo, tile);
        this.#list.append(tile);
      }
      this.#patch(photo);
    }
  }

  /** @param {Photo} photo */
  #tile(photo) {
    const name = photo.file?.name ?? "photo";
    const picture = h("img", { alt: name, onerror: () => { picture.hidden = true; } });
    if (photo.file) showPicture(picture, photo.file);
    else this.#fetch(photo, picture);
    return h("li", { "data-testid": "photo-preview" },
      h("span", { class: "picture" }, picture,
        h("progress", { max: "1", "aria-label": `Uploading ${name}` }),
        h("button", { type: "button", class: "remove", "aria-label": `Remove ${name}`, title: "Remove", "data-testid": "photo-remove", onclick: () => this.#remove(photo) }, icon("close"))),
      h("p", { class: "refusal", role: "alert" }),
      h("button", { type: "button", class: "link", "aria-label": `Try ${name} again`, "data-testid": "photo-retry", hidden: true, onclick: () => this.#upload(photo) }, "Try again"));
  }

  /**
   * Of a draft that was kept: it may have waited longer than the server keeps what nobody sends.
   * @param {Photo} photo
   * @param {HTMLImageElement} picture
   */
  async #fetch(photo, picture) {
    try {
      showPicture(picture, await this.carrier.photo(photo.id ?? "", "thumb"));
    } catch (error) {
      const { code } = /** @type {import("../client/api.js").CrewlineError} */ (error);
      if (code !== "not_found") return;
      Object.assign(photo, { id: undefined, failed: "It waited too long. Add it again.", code });
      if (this.#photos.includes(photo)) this.#changed();
    }
  }

  /** @param {Photo} photo */
  #patch(photo) {
    const tile = this.#tiles.get(photo);
    if (!tile) return;
    tile.dataset.state = photo.id ? "uploaded" : photo.failed ? "failed" : "uploading";
    tile.dataset.code = photo.code ?? "";
    const [progress, failed, again] = /** @type {[HTMLProgressElement, HTMLElement, HTMLElement]} */ (
      ["progress", ".refusal", "[data-testid=photo-retry]"].map((part) => tile.querySelector(part)));
    progress.hidden = !photo.upload;
    progress.value = photo.done ?? 0;
    setText(failed, photo.failed ?? "");
    keepFocus(again, () => { again.hidden = !photo.again; }, () => tile.querySelector(".remove"));
  }
}

customElements.define("crewline-photos", PhotoTray);
