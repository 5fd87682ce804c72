/**
 * The elements by their tags, and the events that they tell, for type checkers:
 * `document.querySelector("crewline-thread")` is a CrewlineThread.
 */
import type { CrewlineBadge } from "./badge.js";
import type { CrewlineInbox } from "./inbox.js";
import type { CrewlinePhone } from "./phone.js";
import type { CrewlineThread } from "./thread.js";
import type { Messages } from "./thread/messages.js";
import type { AttachControl } from "./inbox/attach-control.js";
import type { Bell } from "./inbox/bell.js";
import type { ContactChoice } from "./inbox/contact-choice.js";
import type { ContactHeader } from "./inbox/contact-header.js";
import type { ContactPanel } from "./inbox/contact-panel.js";
import type { LineNotice } from "./inbox/line-notice.js";
import type { InboxList } from "./inbox/list.js";
import type { NewConversation } from "./inbox/new-conversation.js";
import type { UnroutedList } from "./inbox/unrouted-list.js";
import type { SearchBox } from "./search/search-box.js";
import type { Composer } from "./thread/composer.js";
import type { Pane } from "./thread/pane.js";
import type { PhotoTray } from "./thread/photo-tray.js";
import type { StateLine } from "./thread/state-line.js";
import type { Undo } from "./thread/undo.js";
import type { Org, You } from "./client/wire.js";

declare global {
  interface HTMLElementTagNameMap {
    "crewline-attach": AttachControl;
    "crewline-badge": CrewlineBadge;
    "crewline-bell": Bell;
    "crewline-composer": Composer;
    "crewline-contact-choice": ContactChoice;
    "crewline-contact-header": ContactHeader;
    "crewline-contact-panel": ContactPanel;
    "crewline-inbox": CrewlineInbox;
    "crewline-messages": Messages;
    "crewline-inbox-list": InboxList;
    "crewline-line-notice": LineNotice;
    "crewline-new-conversation": NewConversation;
    "crewline-pane": Pane;
    "crewline-phone": CrewlinePhone;
    "crewline-photos": PhotoTray;
    "crewline-search": SearchBox;
    "crewline-state": StateLine;
    "crewline-thread": CrewlineThread;
    "crewline-undo": Undo;
    "crewline-unrouted": UnroutedList;
  }

  interface GlobalEventHandlersEventMap {
    "crewline-welcome": CustomEvent<{ you: You; org: Org | null }>;
    "crewline-signed-out": CustomEvent<{ reason: "token" | "forbidden" }>;
    "crewline-select": CustomEvent<{ thread: string | null }>;
  }
}
