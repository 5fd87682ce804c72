/**
 * The pictures that a simulated phone is about to send: a carrier for the
 * composer which keeps them where they are until the text goes.
 *
 *   composer.carrier = roll;
 *   const media = await roll.media(photos);       // as the simulator takes them
 *   roll.forget(photos);
 */
import { CrewlineError } from "../client/api.js";
import { uuid } from "../client/outbox.js";

export class CameraRoll {
  limits = { photos: 10 };
  /** By id. @type {Map<string, File>} */
  #files = new Map();

  /** @param {File} file */
  async upload(file) {
    const id = uuid();
    this.#files.set(id, file);
    return { id };
  }

  /** @returns {Promise<Blob>} */
  async photo(id) {
    const file = this.#files.get(id);
    if (!file) throw new CrewlineError({ code: "not_found", message: "it is not there any more" });
    return file;
  }

  /** @param {string[]} ids @returns {Promise<{content_type: string, base64: string}[]>} */
  media(ids) {
    return Promise.all(ids.map(async (id) => {
      const file = await this.photo(id);
      return { content_type: file.type, base64: base64(new Uint8Array(await file.arrayBuffer())) };
    }));
  }

  forget(ids) {
    for (const id of ids) this.#files.delete(id);
  }
}

function base64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
