/**
 * <crewline-photos>: the photos of a message that is being written. They upload
 * while the text is typed; each shows how far it is, and can be taken out.
 *
 *   tray.client = client;
 *   tray.addEventListener("change", () => ...);
 *   tray.busy                      // something is still uploading
 *   tray.ids                       // what a message can name now
 *   tray.photos = tray.photos;     // to be kept with a draft: Photo[]
 *
 * @typedef {object} Photo
 * @property {string} [id] once it is uploaded
 * @property {File} [file]
 * @property {string} [failed] why it was not taken, for people
 * @property {string} [code] the same, for programs
 * @property {number} [done] 0 to 1
 * @property {AbortController} [upload] while it is under way
 */
import { h, setText } from "../base/dom.js";
import { showPicture } from "./photo-row.js";

class PhotoTray extends HTMLElement {
  /** @type {Photo[]} */
  #photos = [];
  #tiles = new Map();
  client = null;

  #pick = h("input", { type: "file", accept: "image/jpeg,image/png", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true", "data-testid": "photo-input" });
  #list = h("ul", { class: "tray", "aria-label": "Photos" });
  #refusal = h("p", { class: "refusal", role: "alert", "data-testid": "photo-refusal" });

  constructor() {
    super();
    this.#pick.addEventListener("change", () => {
      this.add([...this.#pick.files]);
      this.#pick.value = "";
    });
  }

  connectedCallback() {
    this.replaceChildren(this.#pick, this.#list, this.#refusal);
  }

  /** Asks which photos. */
  choose() {
    this.#pick.click();
  }

  get busy() {
    return this.#photos.some(({ upload }) => upload);
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
    const room = this.client.limits.photos - this.#photos.length;
    if (files.length > room) {
      this.#refuse("too_many_photos", `a message carries at most ${this.client.limits.photos} photos; send the others in a second one`);
    }
    for (const file of files.slice(0, room)) {
      const photo = { file, done: 0, upload: new AbortController() };
      this.#photos.push(photo);
      this.#upload(photo);
    }
    this.#show();
  }

  async #upload(photo) {
    try {
      const { id } = await this.client.upload(photo.file, {
        signal: photo.upload.signal,
        progress: (done) => {
          photo.done = done;
          this.#patch(photo);
        },
      });
      photo.id = id;
    } catch (error) {
      if (photo.upload.signal.aborted) return;
      Object.assign(photo, { failed: error.message, code: error.code });
    }
    photo.upload = undefined;
    this.#show();
  }

  #remove(photo) {
    photo.upload?.abort();
    this.photos = this.#photos.filter((other) => other !== photo);
  }

  #refuse(code = "", message = "") {
    this.#refusal.dataset.code = code;
    setText(this.#refusal, message);
  }

  #show() {
    for (const [photo, tile] of this.#tiles) {
      if (this.#photos.includes(photo)) continue;
      tile.remove();
      this.#tiles.delete(photo);
    }
    for (const photo of this.#photos) {
      if (!this.#tiles.has(photo)) this.#tiles.set(photo, this.#tile(photo));
      this.#list.append(this.#tiles.get(photo));
      this.#patch(photo);
    }
    this.dispatchEvent(new Event("change"));
  }

  #tile(photo) {
    const picture = h("img", { alt: photo.file?.name ?? "Photo" });
    if (photo.file) showPicture(picture, photo.file);
    else this.client.photo(photo.id, "thumb").then((blob) => showPicture(picture, blob), () => {});
    return h("li", { "data-testid": "photo-preview" },
      picture,
      h("progress", { max: "1", "aria-label": "Uploading" }),
      h("p", { class: "refusal", role: "alert" }),
      h("button", { type: "button", "aria-label": "Remove this photo", "data-testid": "photo-remove", onclick: () => this.#remove(photo) }, "×"));
  }

  #patch(photo) {
    const tile = this.#tiles.get(photo);
    if (!tile) return;
    tile.dataset.state = photo.id ? "uploaded" : photo.failed ? "failed" : "uploading";
    if (photo.code) tile.dataset.code = photo.code;
    const progress = tile.querySelector("progress");
    progress.hidden = !photo.upload;
    progress.value = photo.done ?? 0;
    setText(tile.querySelector("p"), photo.failed ?? "");
  }
}

customElements.define("crewline-photos", PhotoTray);
