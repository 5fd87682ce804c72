/**
 * One line to the hub for all elements of one person on a page, however many
 * they are: the first one opens it, the last one that leaves closes it.
 *
 *   const { client, leave } = join({ hub: "https://hub.example", token });
 *   leave();
 */
import { CrewlineClient } from "../client.js";
import { personIn } from "../client/token.js";
import { Shared } from "./shared.js";

/** By hub and person. @type {Shared<CrewlineClient>} */
const lines = new Shared((client) => client.close());

/**
 * @typedef {object} Source where a person's token comes from
 * @property {string} hub its address
 * @property {string | null} token the newest that the page has
 * @property {string | null} [tokenUrl] where the page's own site answers with a fresh one, as text
 * @property {(() => Promise<string | null>) | null} [getToken] the same, as a function
 */

/**
 * One who was signed out comes back with whoever joins, since there may be a token now.
 * @param {Source} source
 * @returns {{ client: CrewlineClient, leave: () => void }}
 */
export function join(source) {
  const key = source.getToken ?? [source.hub, source.tokenUrl ?? personIn(source.token) ?? source.token].join(" ");
  const { one: client, leave } = lines.join(key, () => open(source));
  if (source.token) client.renew(source.token);
  client.connect();
  return { client, leave };
}

/** @param {Source} source */
function open({ hub, token, tokenUrl, getToken }) {
  const url = new URL("/v1/ws", hub);
  url.protocol = url.protocol.replace("http", "ws");
  return new CrewlineClient({
    url: url.href,
    http: new URL(hub).origin,
    token: token ?? undefined,
    getToken: getToken ?? (tokenUrl ? () => tokenAt(tokenUrl) : undefined),
  });
}

/** Null if the site says that the person may not. @param {string} url @returns {Promise<string | null>} */
async function tokenAt(url) {
  const answer = await fetch(url);
  if (answer.ok) return (await answer.text()).trim();
  if ([401, 403, 404].includes(answer.status)) return null;
  throw new Error(`no token: HTTP ${answer.status}`);
}
