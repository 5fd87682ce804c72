/**
 * The customer's page: the one conversation with the business, live.
 */
import "../badge.js";
import "../thread.js";
import { signIn } from "./session.js";

signIn(document.querySelector("main"), document.querySelectorAll("crewline-badge, crewline-thread"));
