/** What a client is made with. Its storage is for what waits to be sent and what was begun. */
/**
 * @typedef {object} Options
 * @property {string} [url] of the socket; by default `/v1/ws` of this page's host
 * @property {string} [http] base of the HTTP API; by default this page's host
 * @property {string} [token] the first token; without `getToken` also the last
 * @property {() => Promise<string | null>} [getToken] a new token, or null if the person is gone
 * @property {Storage} [storage] by default localStorage
 * @property {typeof WebSocket} [WebSocket] for tests, as are the next two
 * @property {() => number} [random]
 * @property {typeof fetch} [fetch]
 */

/** A browser that forbids storage throws on the mere name. */
export function localStorageIfAny() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
