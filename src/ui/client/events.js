/**
 * What the client tells, as types; `detail` of each event. Nothing here runs.
 *
 *   client.addEventListener("change", ({ detail: record }) => console.log(record.kind));
 */
/**
 * @import { Outgoing } from "./outbox.js"
 * @import { Badge, Entry, Org, Problem, Who, You } from "./wire.js"
 */
export {};

/** @typedef {"offline" | "connecting" | "catching-up" | "live" | "signed-out"} State */

/**
 * @typedef {object} Events
 * @property {{ state: State }} state
 * @property {{ you: You, org: Org | null, fresh: boolean }} welcome `fresh`: everything is to be loaded
 * @property {Entry} change the record, each once and in order
 * @property {{ cursor: number }} caught-up
 * @property {Badge} badge never older than the last
 * @property {{ thread: string, who: Who, on: boolean }} typing
 * @property {{ thread: string | null, who: Who }} viewing who of the team has which thread open, or (null) none
 * @property {{ online: Who[], offline: Who[] }} presence
 * @property {{ entries: Outgoing[] }} outbox what is on its way out
 * @property {{ reason: "too_far" | "ahead" | "log" | "person" }} reset forget everything that was loaded
 * @property {{ reason: "token" | "forbidden" }} signed-out the client has given up
 * @property {Omit<Problem, "id">} error about a frame that has no id
 */

/**
 * @typedef {object} Typed listeners that know their events
 * @property {<Type extends keyof Events>(type: Type, heard: (event: CustomEvent<Events[Type]>) => void, options?: AddEventListenerOptions) => void} addEventListener
 */
