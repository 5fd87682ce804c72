/**
 * Everything that another page embeds, with one script tag:
 *
 *   <script type="module" src="https://hub.example/ui/crewline.js"></script>
 *   <crewline-thread token-url="/my-backend/crewline-token"></crewline-thread>
 *   <crewline-badge token-url="/my-backend/crewline-token"></crewline-badge>
 *   <crewline-inbox token-url="/my-backend/crewline-token"></crewline-inbox>
 *
 * `<crewline-phone>`, which only a demo has a use for, is in phone.js.
 */
export { CrewlineBadge } from "./badge.js";
export { CrewlineClient, CrewlineError } from "./client.js";
export { CrewlineInbox } from "./inbox.js";
export { CrewlineThread } from "./thread.js";
