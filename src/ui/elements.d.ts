/**
 * The elements by their tags, and the events that they tell, for type checkers:
 * `document.querySelector("crewline-thread")` is a CrewlineThread.
 */
import type { CrewlineBadge } from "./badge.js";
import type { CrewlineInbox } from "./inbox.js";
import type { CrewlinePhone } from "./phone.js";
import type { CrewlineThread } from "./thread.js";
import type { Org, You } from "./client/wire.js";

declare global {
  interface HTMLElementTagNameMap {
    "crewline-badge": CrewlineBadge;
    "crewline-inbox": CrewlineInbox;
    "crewline-phone": CrewlinePhone;
    "crewline-thread": CrewlineThread;
  }

  interface GlobalEventHandlersEventMap {
    "crewline-welcome": CustomEvent<{ you: You; org: Org | null }>;
    "crewline-signed-out": CustomEvent<{ reason: "token" | "forbidden" }>;
    "crewline-select": CustomEvent<{ thread: string | null }>;
  }
}
