/**
 * What became of the texts that carry one message on: its delivery records go
 * in, oldest first, and how each text stands comes out. The newest record says
 * how far a text has got; which parts of it may be sent again, the newest of
 * each part.
 *
 *   const texts = new Texts(message);
 *   texts.take(delivery);
 *   texts.customer                    // a Leg, or null: nothing is known of any
 *   texts.copies                      // Legs to business phones, for the team
 */
export class Texts {
  #legs = new Map();

  constructor({ texts, brief }) {
    for (const { leg, to } of texts ?? brief?.texts ?? []) this.#leg(leg, to);
  }

  /** @returns {Leg} the text that it is about */
  take(delivery) {
    // A customer hears of the own phone alone.
    const leg = this.#leg(delivery.leg ?? "customer", delivery.to);
    leg.take(delivery);
    return leg;
  }

  /** @returns {Leg | null} */
  get customer() {
    return this.#legs.get("customer") ?? null;
  }

  /** @returns {Leg[]} */
  get copies() {
    return [...this.#legs.values()].filter(({ leg }) => leg === "copy");
  }

  #leg(leg, to) {
    const key = leg === "customer" ? leg : `${leg} ${to}`;
    if (!this.#legs.has(key)) this.#legs.set(key, new Leg(leg, to));
    return this.#legs.get(key);
  }
}

/** Statuses of a part that is neither there nor on its way. */
const LOST = new Set(["failed", "undelivered", "canceled", "unknown"]);

/** One text to one phone, in one or more parts. */
class Leg {
  /** @type {"sending" | "sent" | "delivered" | "failed" | "unknown" | "not_texted"} */
  state = "sending";
  /** For the customer: the last digits of the phone, and what is to be said of a failure. */
  ending = null;
  sentence = null;
  /** For the team: why, in words and as Twilio's code, and who had it sent again. */
  reason = null;
  code = null;
  by = null;

  #parts = new Map();

  constructor(leg, to) {
    this.leg = leg;
    this.to = to;
  }

  take({ state, to, phone_ending, sentence, reason, code, by, part, attempt, status }) {
    // What one part failed of still holds while others move on.
    const goesOn = state === this.state && (state === "failed" || state === "unknown") && !reason;
    Object.assign(this, { state, to: to ?? this.to, ending: phone_ending ?? null, sentence: sentence ?? null, by: by ?? null });
    if (!goesOn) Object.assign(this, { reason: reason ?? null, code: code ?? null });
    if (attempt) this.#parts.set(part, { attempt, status });
  }

  /** @returns {string[]} the attempts that staff may have repeated */
  get again() {
    return this.state === "failed" || this.state === "unknown" ? this.#lost.map(({ attempt }) => attempt) : [];
  }

  /** Whether repeating it may text it twice. */
  get mayDouble() {
    return this.#lost.some(({ status }) => status === "unknown");
  }

  get #lost() {
    return [...this.#parts.values()].filter(({ status }) => LOST.has(status));
  }
}
