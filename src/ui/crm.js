/**
 * The staff's page: the shared inbox, and the conversation that is open.
 */
import "./attach-control.js";
import "./composer.js";
import "./inbox-list.js";
import "./line-notice.js";
import "./search-box.js";
import "./state-line.js";
import "./thread-view.js";
import "./unrouted-list.js";
import { followConsent } from "./consent.js";
import { setText } from "./dom.js";
import { followHandler } from "./handler.js";
import { showBadge } from "./nav-badge.js";
import { Presence, Typists } from "./people.js";
import { openSession, sayNoSession } from "./session.js";
import { Viewers } from "./viewers.js";

/** The open thread stands in the address, so that "back" closes it and a reload keeps it. */
const MARK = "#thread=";
const NOTHING = { text: "", internal: false };

const client = openSession();
const at = (id) => document.getElementById(id);
const list = document.querySelector("crew-inbox");
const view = document.querySelector("crew-thread");
const composer = document.querySelector("crew-composer");

let selected = null;
/** What was begun in other threads. */
const drafts = new Map();
/** Ends with the open thread. */
let following = new AbortController();

if (client) start();
else sayNoSession(document.querySelector("main"));

function start() {
  const badge = document.querySelector("[data-testid=badge]");
  const presence = new Presence(client, (people) => {
    list.present(people.map(({ contact }) => contact));
    showPresence();
  });
  const viewers = new Viewers(client, showViewers);
  const typists = new Typists(client, (thread) => thread === selected && showTyping());

  client.addEventListener("welcome", ({ detail: { you } }) => {
    setText(at("person"), you.name);
    composer.limit = client.limits.text_chars;
  });
  client.addEventListener("badge", ({ detail }) => showBadge(badge, detail.new ?? detail.unread, "new conversations"));
  client.addEventListener("state", showContact);
  client.addEventListener("signed-out", () => { composer.disabled = true; });

  list.addEventListener("select", ({ detail: { thread } }) => {
    if (thread !== selected) history.pushState(null, "", MARK + thread);
    open(thread);
    // A keyboard on a phone would hide the conversation that was just opened.
    if (matchMedia("(pointer: fine)").matches) composer.focus();
  });
  list.addEventListener("row", ({ detail: row }) => row.thread === selected && showContact());
  window.addEventListener("popstate", openFromAddress);

  const search = document.querySelector("crew-search");
  search.open(client);
  search.addEventListener("choose", ({ detail: { thread, number } }) => {
    if (thread !== selected) {
      history.pushState(null, "", MARK + thread);
      open(thread);
    }
    view.reveal(number);
  });
  at("back").addEventListener("click", () => {
    history.pushState(null, "", location.pathname);
    open(null);
  });
  at("attach").addEventListener("attached", ({ detail: { thread } }) => {
    history.replaceState(null, "", MARK + thread);
    open(thread);
  });
  at("handled").addEventListener("click", () => client.handled(selected, view.lastSeq));

  composer.client = client;
  composer.addEventListener("send", ({ detail: { text, internal, photos } }) => {
    drafts.delete(selected);
    client.send({ thread: selected, text, internal, photos, seen: internal ? undefined : view.lastSeq });
  });
  composer.addEventListener("typing", ({ detail: { on, internal } }) => client.typing(selected, on, internal));
  view.addEventListener("edit", ({ detail: { text, internal, photos = [] } }) => {
    composer.draft = { text, internal, photos: photos.map((id) => ({ id })) };
    composer.focus();
  });

  document.querySelector("crew-state").watch(client);
  list.open(client, presence);
  document.querySelector("crew-line-notice").open(client);
  document.querySelector("crew-unrouted").open(client, (thread) => MARK + thread, () => list.loaded);
  openFromAddress();
  client.connect();

  function showPresence() {
    const others = presence.staff.filter(({ sub }) => sub !== client.you?.sub).map(({ name }) => name);
    setText(at("colleagues"), others.length > 0 ? `Also here: ${others.join(", ")}` : "");
    const row = selected && list.row(selected);
    const here = Boolean(row && presence.hasContact(row.contact.id));
    at("presence").classList.toggle("is-here", here);
    setText(at("presence"), row ? (here ? "online" : "offline") : "");
  }

  function showTyping() {
    setText(at("typing"), selected ? typists.sentence(selected) : "");
  }

  function openFromAddress() {
    const thread = location.hash.startsWith(MARK) ? location.hash.slice(MARK.length) : null;
    if (thread !== selected) open(thread);
  }

  function open(thread) {
    if (selected) drafts.set(selected, composer.draft);
    selected = thread;
    following.abort();
    following = new AbortController();
    showConsent(null);
    showHandler({});
    viewers.look(thread);
    list.selected = thread;
    document.body.classList.toggle("has-thread", thread !== null);
    at("opened").hidden = thread === null;
    at("nothing").hidden = thread !== null;
    composer.draft = drafts.get(thread) ?? NOTHING;
    if (thread === null) {
      view.leave();
    } else {
      view.open(client, thread);
      followConsent(client, thread, showConsent, following.signal);
      followHandler(client, thread, showHandler, following.signal);
      if (client.cursor !== null) list.need(thread);
    }
    showContact();
    showTyping();
    showViewers();
  }

  function showViewers() {
    setText(at("looking"), selected ? viewers.sentence(selected) : "");
  }

  function showHandler({ handler, attached_to }) {
    at("ai-answers").hidden = handler !== "ai";
    at("attached").hidden = !attached_to;
    composer.disabled = Boolean(attached_to) || client.state === "signed-out";
    if (attached_to) at("goes-on").href = MARK + attached_to;
  }

  function showConsent(texts) {
    at("texts-off").hidden = texts !== "off";
    composer.texted = texts === "on";
  }

  function showContact() {
    const row = selected && list.row(selected);
    setText(at("contact"), row ? row.contact.name || row.contact.phone || "Unknown" : "");
    setText(at("phone"), row?.contact.phone && row.contact.phone !== row.contact.name ? row.contact.phone : "");
    at("unknown").hidden = !row?.contact.unknown;
    if (row?.contact.unknown && row.contact.phone) {
      const contacts = () => list.loaded.map(({ contact }) => contact).filter(({ unknown }) => !unknown);
      at("attach").open(client, { thread: selected, number: row.contact.phone, seen: () => view.lastSeq, contacts });
    } else {
      at("attach").close();
    }
    at("handled").disabled = !row || row.waiting_since === null || client.state !== "live";
    showPresence();
  }
}
