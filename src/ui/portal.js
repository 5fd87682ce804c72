/**
 * The customer's page: the one conversation with the contractor, live.
 */
import "./composer.js";
import "./search-box.js";
import "./state-line.js";
import "./thread-view.js";
import { followConsent } from "./consent.js";
import { setText } from "./dom.js";
import { showBadge } from "./nav-badge.js";
import { Typists } from "./people.js";
import { openSession, sayNoSession } from "./session.js";

const client = openSession();
const main = document.querySelector("main");

if (client) start();
else sayNoSession(main);

function start() {
  const view = document.querySelector("crew-thread");
  const composer = document.querySelector("crew-composer");
  const badge = document.querySelector("[data-testid=badge]");
  const typing = document.querySelector("#typing");
  const typists = new Typists(client, (thread) => setText(typing, typists.sentence(thread)));

  client.addEventListener("welcome", ({ detail: { you } }) => {
    setText(document.querySelector("#person"), you.name);
    composer.limit = client.limits.text_chars;
  });
  client.addEventListener("badge", ({ detail }) => showBadge(badge, detail.unread, "unread messages"));
  client.addEventListener("signed-out", () => { composer.disabled = true; });

  composer.client = client;
  composer.addEventListener("send", ({ detail: { text, photos } }) => client.send({ text, photos }));
  composer.addEventListener("typing", ({ detail }) => client.typing(undefined, detail.on));
  view.addEventListener("edit", ({ detail: { text, photos = [] } }) => {
    composer.draft = { text, internal: false, photos: photos.map((id) => ({ id })) };
    composer.focus();
  });

  const search = document.querySelector("crew-search");
  search.open(client);
  search.addEventListener("choose", ({ detail: { number } }) => view.reveal(number));

  document.querySelector("crew-state").watch(client);
  followConsent(client, undefined, (texts) => { document.querySelector("#texts-off").hidden = texts !== "off"; });
  view.open(client);
  client.connect();
}
