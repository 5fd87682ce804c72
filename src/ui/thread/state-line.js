/**
 * <crewline-state>: how the line is, told quietly: nothing while all is well or
 * while it is only coming back.
 *
 *   <crewline-state></crewline-state>
 *
 *   document.querySelector("crewline-state").watch(client);
 */
import { setText } from "../base/dom.js";

/** A line that is back within this was never gone, to the eye. */
const PATIENCE_MS = 1_500;

/** @typedef {import("../client.js").CrewlineClient} CrewlineClient */

export class StateLine extends HTMLElement {
  /** @type {AbortController | null} */
  #leaving = null;
  /** @type {CrewlineClient | null} */
  #client = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    this.setAttribute("role", "status");
    this.dataset.testid = "state";
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#leaving?.abort();
  }

  /** @param {CrewlineClient} client */
  watch(client) {
    this.#leaving?.abort();
    const { signal } = (this.#leaving = new AbortController());
    this.#client = client;
    for (const type of ["state", "outbox"]) client.addEventListener(type, () => this.#change(), { signal });
    this.#change();
  }

  #change() {
    const state = this.#client?.state ?? "offline";
    this.dataset.state = state;
    const well = state === "live" || state === "signed-out";
    if (well) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#show();
    } else {
      this.#timer ??= setTimeout(() => this.#show(), PATIENCE_MS);
      if (this.textContent !== "") this.#show();
    }
  }

  #show() {
    setText(this, this.#sentence());
  }

  #sentence() {
    const client = this.#client;
    if (!client) return "";
    const waiting = client.outbox.filter(({ state }) => state === "queued" || state === "sending").length;
    // The first time nobody knows yet.
    if (client.state === "connecting" && !client.you && waiting === 0) return "Connecting…";
    switch (client.state) {
      case "live": return "";
      case "catching-up": return "Catching up…";
      case "signed-out": return client.reason === "forbidden"
        ? "This page may not open the conversation"
        : "You are signed out. Please open your link again.";
      default: return waiting > 1
        ? "Offline – your messages will go when you are back"
        : waiting === 1 ? "Offline – your message will go when you are back" : "Offline – trying to reconnect";
    }
  }
}

customElements.define("crewline-state", StateLine);
