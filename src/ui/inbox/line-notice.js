/**
 * <crewline-line-notice>: says which business phones get no copies, because they
 * have asked for no more texts. Nothing while all get theirs.
 *
 *   <crewline-line-notice></crewline-line-notice>
 *
 *   notice.open(client, signal);
 */
import { setText } from "../base/dom.js";

export class LineNotice extends HTMLElement {
  connectedCallback() {
    this.hidden = true;
    this.setAttribute("role", "status");
  }

  open(client, signal) {
    const look = () => this.#look(client);
    client.addEventListener("caught-up", look, { signal });
    client.addEventListener("change", ({ detail: { kind, thread } }) => {
      if (kind === "org" || (kind === "consent" && !thread)) look();
    }, { signal });
    if (client.state === "live") look();
  }

  async #look(client) {
    // What cannot be read now is read when the line is next up.
    const line = await client.line().catch(() => null);
    if (line) this.#show(line.business_phones.filter(({ texts }) => texts === "off").map(({ phone }) => phone));
  }

  #show(stopped) {
    this.hidden = stopped.length === 0;
    setText(this, `No copies go to ${stopped.join(", ")}: STOP was texted from there. START turns them on again.`);
  }
}

customElements.define("crewline-line-notice", LineNotice);
