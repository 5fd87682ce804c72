-- Texts: what is to be sent, and what is known of numbers.

-- 1 for a contact that was made for a number that is nobody's.
ALTER TABLE contacts ADD COLUMN unknown BIGINT NOT NULL DEFAULT 0;
CREATE INDEX contacts_phone ON contacts (org, phone) WHERE phone IS NOT NULL;

-- The seq of the last message whose text to the customer failed.
ALTER TABLE threads ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX threads_failed ON threads (org, active) WHERE failed > 0;

-- Whose a provisioned number is. Of all orgs, because a text names only the number.
CREATE TABLE numbers (
    number TEXT PRIMARY KEY,
    org    TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX numbers_org ON numbers (org);

-- Which thread "#12" names, and when it was used last.
CREATE TABLE tags (
    org    TEXT   NOT NULL,
    tag    BIGINT NOT NULL,
    thread TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (org, tag)
) WITHOUT ROWID;
CREATE INDEX tags_thread ON tags (org, thread);

-- When a thread was copied to a business phone last.
CREATE TABLE copied (
    org    TEXT   NOT NULL,
    phone  TEXT   NOT NULL,
    thread TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (org, phone, thread)
) WITHOUT ROWID;

-- Phones that take no texts from a number (off = 1), or do so again.
CREATE TABLE consents (
    org    TEXT   NOT NULL,
    number TEXT   NOT NULL,
    phone  TEXT   NOT NULL,
    off    BIGINT NOT NULL,
    PRIMARY KEY (org, number, phone)
) WITHOUT ROWID;

-- Texts to be sent, one row an attempt at one part. A row is made in the transaction that appends what
-- it sends on; what becomes of it is in the log.
CREATE TABLE outbox (
    org       TEXT   NOT NULL,
    attempt   TEXT   NOT NULL,
    thread    TEXT,
    of        BIGINT,
    leg       TEXT   NOT NULL,
    rev       BIGINT NOT NULL,
    part      BIGINT NOT NULL,
    parts     BIGINT NOT NULL,
    nth       BIGINT NOT NULL,
    sender    TEXT   NOT NULL,
    recipient TEXT   NOT NULL,
    body      TEXT   NOT NULL,
    state     TEXT   NOT NULL,
    due_at    BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    called_at BIGINT,
    sid       TEXT,
    PRIMARY KEY (org, attempt)
) WITHOUT ROWID;
-- By these the courier finds work: what is due, what came before it to the same phone, what stands still.
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'due';
CREATE INDEX outbox_before ON outbox (sender, recipient, rev, part) WHERE state IN ('due', 'calling');
CREATE INDEX outbox_open ON outbox (state, due_at) WHERE state IN ('calling', 'uncertain', 'accepted');
-- By these what is heard finds its row.
CREATE UNIQUE INDEX outbox_attempt ON outbox (attempt);
CREATE UNIQUE INDEX outbox_sid ON outbox (sid) WHERE sid IS NOT NULL;
CREATE INDEX outbox_of ON outbox (org, thread, of);
CREATE INDEX outbox_recent ON outbox (org, recipient, queued_at) WHERE leg <> 'customer';

-- Texts that reached no thread.
CREATE INDEX log_unrouted ON log (org, rev) WHERE kind = 'unrouted';
