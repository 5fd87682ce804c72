/**
 * What the hub says and is told, as types: records, frames and answers, as
 * docs/DESIGN.md describes them. Nothing here runs.
 *
 * A field with a question mark is not there in every view: what only the team
 * sees, or only the customer.
 */
export {};

/**
 * Of a union that is told apart by `kind` (or such): every field of any member
 * may be read, and is undefined where a member has none.
 * @template U
 * @template {PropertyKey} [K=U extends unknown ? keyof U : never]
 * @typedef {U extends unknown ? U & { [Absent in Exclude<K, keyof U>]?: undefined } : never} OneOf
 */

/**
 * @typedef {object} Who somebody, in presence and typing and as who did something
 * @property {"customer" | "staff" | "ai" | "system" | "service"} kind
 * @property {string} name
 * @property {string} [sub] of staff; the team's
 * @property {string} [contact] of a customer; the team's
 */

/** @typedef {Who & { id: string | null, shown?: string }} From who wrote; `shown` is what the customer sees of staff */

/** @typedef {{ id: string, width: number, height: number, sha256?: string }} Photo pixels as shown */

/**
 * @typedef {object} Numbered what every record has
 * @property {number} [rev] its number in the team's view
 * @property {number} [seq] its number in the customer's view, if it is public
 * @property {string} thread
 * @property {number} at ms since 1970
 * @property {{ thread: string, rev: number, at: number, answered?: boolean }} [copied_from] the team's
 * @property {number} [said_at] the customer's: when the original of a copy was said
 */

/** @typedef {"on" | "off"} Texts */
/** @typedef {"sending" | "sent" | "delivered" | "failed" | "unknown" | "not_texted"} LegState of a message's text to one phone */
/** @typedef {"customer" | "copy" | "answer"} Leg whose phone it goes to, and what it carries */
/** @typedef {{ leg: Leg, to: string, encoding: "GSM-7" | "UCS-2", segments: number, parts: number }} TextPlan */

/**
 * @typedef {{
 *   kind: "message", id: string | null, from: From, via: "portal" | "crm" | "sms" | "ai", text: string, photos: Photo[],
 *   seen?: number, phone?: string, rule?: string, tag?: number, media?: object[], media_expected?: number, texts?: TextPlan[],
 * }} Message
 */
/** @typedef {{ kind: "note", id: string | null, from: From, text: string, photos: Photo[] }} Note */
/** @typedef {{ kind: "receipt", side: "customer" | "team", mark: "delivered" | "read", up_to: number, by?: Who }} Receipt */
/**
 * @typedef {{
 *   kind: "delivery", of?: number, leg?: Leg, state: LegState, sentence?: string, reason?: string, to?: string, phone_ending?: string,
 *   status?: string, code?: number, sid?: string, attempt?: string, nth?: number, part?: number, parts?: number, by?: Who,
 * }} Delivery
 */
/**
 * @typedef {{
 *   kind: "media", of: number, index: number, source?: string, content_type?: string,
 *   photo?: Photo, file?: { id: string, bytes: number, sha256?: string }, failed?: { sentence: string, reason?: string },
 * }} Media a part of an incoming MMS, fetched after its message
 */
/**
 * @typedef {object} Brief what the AI receptionist tells the team alone
 * @property {Who} by
 * @property {string} [phone]
 * @property {string} reason
 * @property {string} summary
 * @property {string} [open_question]
 * @property {number} [call_back_at] ms
 * @property {"ai" | "human"} handler
 * @property {number} [copy_tag]
 * @property {TextPlan[]} [texts]
 */
/** @typedef {{ at: number, speaker: "caller" | "ai", text: string }} Turn */
/**
 * @typedef {{
 *   kind: "handoff", id: string | null, tag: string, index: number, parts: number, of?: number, transcript: Turn[], brief?: Brief,
 * }} Handoff
 */
/** @typedef {{ kind: "marker", id: string | null, text: string, link?: string, public?: boolean, by?: Who }} Marker */
/** @typedef {{ kind: "consent", texts: Texts, phone?: string, number?: string, word?: string }} Consent */
/**
 * @typedef {OneOf<
 *   | { event: "contact", contact: string, name: string, phone: string | null, id: string, unknown?: boolean }
 *   | { event: "handled", seen: number, by: Who }
 *   | { event: "handler", handler: "ai" | "human", by: Who }
 *   | { event: "attached", contact: string, to: string, phone?: string, copies: number, by: Who }
 *   | { event: "routed", unrouted: number, by: Who }
 * > & { kind: "thread" }} ThreadEvent the team's
 */
/**
 * @typedef {{
 *   kind: "unrouted", id: string, from: string, text: string, media?: object[],
 *   reason: "shared_phone" | "no_tag" | "unknown_tag" | "empty" | "no_phone",
 *   candidates: { thread: string, name: string, tag?: number }[], answer?: string,
 * }} Unrouted a text that reached nobody; the team's
 */
/** @typedef {{ kind: "revoked", sub: string, before: number }} Revoked */
/** @typedef {{ kind: "org" }} OrgSettings */

/**
 * A record of the log.
 * @typedef {Numbered & OneOf<
 *   Message | Note | Receipt | Delivery | Media | Handoff | Marker | Consent | ThreadEvent | Unrouted | Revoked | OrgSettings
 * >} Entry
 */

/**
 * @typedef {object} You who the hub takes this client for
 * @property {"customer" | "staff" | "service"} role
 * @property {string} org
 * @property {string} sub
 * @property {string} name
 * @property {string | null} id
 * @property {string} [contact] a customer's
 * @property {string} [thread] a customer's
 */
/** @typedef {{ name: string, color?: string }} Org */
/**
 * @typedef {object} Limits
 * @property {number} text_chars
 * @property {number} photos
 * @property {number} [text_bytes]
 * @property {number} [frame_bytes]
 * @property {number} [in_flight]
 * @property {number} [frames_per_second]
 */
/** @typedef {{ unread: number, new?: number, waiting?: number, as_of: number }} Badge absolute counts as of a record */
/** @typedef {{ code: string, message: string, retry: boolean, id?: string, records?: Entry[] }} Problem */
/**
 * @typedef {object} Page a part of a thread
 * @property {Entry[]} records newest first
 * @property {number | null} before where the next older page begins; null at the start
 * @property {number | null} [after] where the next newer page begins; null at the newest
 * @property {number} as_of the last number that this page knows of
 */

/** What the hub says. @typedef {
 *   | { type: "welcome", session: string, you: You, org?: Org, cursor: number, log: string, limits?: Limits, heartbeat_ms: number }
 *   | ({ type: "change" } & Entry)
 *   | { type: "caught_up", cursor: number }
 *   | ({ type: "badge" } & Badge)
 *   | { type: "ack", id: string, rev?: number, seq?: number, at: number, duplicate: boolean }
 *   | ({ type: "page", id: string } & Page)
 *   | { type: "typing", thread: string, who: Who, on: boolean }
 *   | { type: "viewing", thread: string | null, who: Who }
 *   | { type: "presence", online: Who[], offline: Who[] }
 *   | { type: "reset", reason: "too_far" | "ahead" | "log" }
 *   | { type: "expiring", at: number }
 *   | { type: "bye", code: number, reason: string, retry_after_ms: number }
 *   | ({ type: "error" } & Problem)
 *   | { type: "pong", head: number }
 * } ServerFrame
 */

/** What a client says. @typedef {
 *   | { type: "hello", token: string, cursor?: number, log?: string | null }
 *   | { type: "send", id: string, thread?: string, text: string, internal?: boolean, seen?: number, photos?: string[] }
 *   | { type: "received" | "read", thread?: string, up_to: number }
 *   | { type: "typing", thread?: string, on: boolean, internal?: boolean }
 *   | { type: "handled", thread: string, seen: number }
 *   | { type: "history", id: string, thread?: string, before?: number, after?: number, around?: number, limit?: number }
 *   | { type: "token", token: string }
 *   | { type: "viewing", thread: string | null }
 *   | { type: "ping" }
 * } ClientFrame
 */

/** @typedef {{ id: string, name: string, phone: string | null, unknown?: boolean }} Contact */
/**
 * @typedef {object} InboxThread a row of the inbox
 * @property {string} thread
 * @property {Contact} contact
 * @property {Entry | null} last the newest message, note or hand-off
 * @property {boolean} new
 * @property {number} unread
 * @property {number | null} waiting_since ms
 * @property {boolean} failed the last text to the customer failed, or may have
 * @property {boolean} handoff one that nobody has answered
 * @property {number} seq the thread's last
 * @property {number} active the rev of `last`
 */
/** @typedef {{ threads: InboxThread[], next: unknown, as_of: number }} InboxPage */
/** @typedef {{ delivered: number, read: number }} MarksOfSide */
/**
 * @typedef {object} Thread how a thread stands
 * @property {string} thread
 * @property {Contact} contact
 * @property {Texts | null} texts null: no phone is known
 * @property {number} seq
 * @property {{ customer: MarksOfSide, team: MarksOfSide }} marks
 * @property {number} unread
 * @property {boolean} [new]
 * @property {number} [failed] the seq of the last message whose text failed; 0 if none
 * @property {number | null} [waiting_since]
 * @property {boolean} [handoff]
 * @property {"ai" | "human"} [handler]
 * @property {string} [attached_to]
 * @property {{ sub: string, name: string, up_to: number }[]} [readers]
 * @property {number} as_of
 */
/** @typedef {{ text: string, hit: boolean }} Piece of a text, in order */
/** @typedef {{ record: Entry, contact?: Contact, pieces: Piece[] }} Hit */
/** @typedef {{ hits: Hit[], next: string | null }} Hits */
/** @typedef {{ records: Entry[], before: number | null, as_of: number }} UnroutedPage */
/** @typedef {{ number: string | null, business_phones: { phone: string, texts: Texts }[] }} BusinessLine */
/** @typedef {{ id: string, width: number, height: number, bytes: number }} Uploaded */
