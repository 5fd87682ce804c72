/**
 * The HTTP side: asks with the person's token, which is renewed once when the
 * server will not have it.
 *
 *   const api = new Api({ http: "https://hub.example" }, (refused) => tokens.current(refused));
 *   const page = await api.get("/v1/inbox", { filter: "new" });
 */
import { personIn } from "./token.js";

/** An error that the server names: `code`, a sentence, and whether it may pass. */
export class CrewlineError extends Error {
  /** @param {{code: string, message: string, retry?: boolean}} problem */
  constructor({ code, message, retry = false }) {
    super(message);
    this.name = "CrewlineError";
    this.code = code;
    this.retry = retry;
  }
}

/** @typedef {typeof globalThis.fetch} Fetch */

export class Api {
  #base;
  #fetch;
  #token;

  /**
   * @param {{ http?: string, fetch?: Fetch }} where
   * @param {(refused?: string | null) => Promise<string | null>} token
   */
  constructor({ http = "", fetch = (target, request) => globalThis.fetch(target, request) }, token) {
    this.#base = http;
    this.#fetch = fetch;
    this.#token = token;
  }

  /**
   * @param {string} path
   * @param {Record<string, unknown>} [parameters] those that are undefined or null are left out
   * @returns {Promise<any>} what was answered
   */
  get(path, parameters = {}) {
    const given = Object.entries(parameters)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, String(value)]);
    const query = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
    return this.#ask(path + query, {});
  }

  /**
   * Bytes as they are.
   * @param {string} path
   * @param {Record<string, string>} parameters
   * @returns {Promise<Blob>}
   */
  blob(path, parameters) {
    return this.#ask(`${path}?${new URLSearchParams(parameters)}`, {}, (answer) => answer.blob());
  }

  /**
   * Posts a file and tells how far it is; `fetch` could not.
   * @param {string} path
   * @param {Blob} file
   * @param {{progress?: (done: number) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<any>}
   */
  async upload(path, file, { progress, signal } = {}) {
    const token = await this.#token();
    let answer = await send(`${this.#base}${path}`, token, file, progress, signal);
    if (answer.status === 401) {
      const newer = await this.#newer(token);
      if (newer) answer = await send(`${this.#base}${path}`, newer, file, progress, signal);
    }
    if (answer.ok) return answer.json();
    throw await problem(answer);
  }

  /**
   * @param {string} path
   * @param {object} body
   * @returns {Promise<any>}
   */
  post(path, body) {
    return this.#ask(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  }

  /**
   * @template [Told=any]
   * @param {string} target
   * @param {{ method?: string, body?: string, headers?: Record<string, string> }} request
   * @param {(answer: Response) => Promise<Told>} [read]
   * @returns {Promise<Told>}
   */
  async #ask(target, { headers, ...request }, read = (answer) => answer.json()) {
    /** @param {string | null} token */
    const ask = (token) => this.#fetch(`${this.#base}${target}`, { ...request, headers: { ...headers, authorization: `Bearer ${token}` } });

    const token = await this.#token();
    let answer = await ask(token);
    if (answer.status === 401) {
      const newer = await this.#newer(token);
      if (newer) answer = await ask(newer);
    }
    if (answer.ok) return read(answer);
    throw await problem(answer);
  }

  /** Another one of the same person: what one has asked is not done in another's name. @param {string | null} refused */
  async #newer(refused) {
    const newer = await this.#token(refused);
    return personIn(newer) === personIn(refused) ? newer : null;
  }
}

/**
 * @param {string} url
 * @param {string | null} token
 * @param {Blob} file
 * @param {((done: number) => void) | undefined} progress
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<Response>}
 */
function send(url, token, file, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const lost = () => reject(new CrewlineError({ code: "offline", message: "The upload broke off. Try again.", retry: true }));
    request.upload.addEventListener("progress", ({ loaded, total }) => progress?.(total > 0 ? loaded / total : 0));
    request.addEventListener("load", () => resolve(new Response(request.response, { status: request.status })));
    for (const type of ["error", "abort", "timeout"]) request.addEventListener(type, lost);
    signal?.addEventListener("abort", () => request.abort());
    request.open("POST", url);
    request.setRequestHeader("authorization", `Bearer ${token}`);
    request.responseType = "blob";
    request.send(file);
  });
}

/** From a problem document, or from whatever stood in between. @param {Response} answer */
async function problem(answer) {
  const said = await answer.json().catch(() => ({}));
  return new CrewlineError({
    code: said.code ?? `http_${answer.status}`,
    message: said.detail ?? said.title ?? answer.statusText,
    retry: answer.status >= 500 || answer.status === 429,
  });
}
