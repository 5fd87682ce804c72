-- Hand-offs of the AI receptionist, threads that were attached to a contact, texts routed by hand.

-- The seq of the last hand-off; who answers; where a closed thread was copied to.
ALTER TABLE threads ADD COLUMN handoff BIGINT NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN handler TEXT NOT NULL DEFAULT 'human';
ALTER TABLE threads ADD COLUMN attached TEXT;
CREATE INDEX threads_handoff ON threads (org, active) WHERE handoff > answered;

-- Numbers that are a contact's besides its own phone: their threads were attached to it.
CREATE TABLE phones (
    org     TEXT NOT NULL,
    phone   TEXT NOT NULL,
    contact TEXT NOT NULL,
    PRIMARY KEY (org, phone, contact)
) WITHOUT ROWID;

-- Which thread an unrouted text, by its rev, was routed to by hand.
CREATE TABLE routed (
    org      TEXT   NOT NULL,
    unrouted BIGINT NOT NULL,
    thread   TEXT   NOT NULL,
    PRIMARY KEY (org, unrouted)
) WITHOUT ROWID;
