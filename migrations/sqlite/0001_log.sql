-- The log. Its rows are for ever: no statement of any session changes or removes one.
-- WITHOUT ROWID, because a rowid would be one more key that INSERT OR REPLACE could go by.
CREATE TABLE log (
    org            TEXT   NOT NULL,
    rev            BIGINT NOT NULL CHECK (rev > 0),
    thread         TEXT,
    seq            BIGINT CHECK (seq > 0),
    kind           TEXT   NOT NULL,
    submitter      TEXT,
    id             TEXT,
    body_team      TEXT   NOT NULL,
    body_public    TEXT,
    customer_count BIGINT NOT NULL,
    team_count     BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    hash           BLOB   NOT NULL,
    PRIMARY KEY (org, rev),
    CHECK ((seq IS NULL) = (body_public IS NULL))
) WITHOUT ROWID;

CREATE UNIQUE INDEX log_seq ON log (org, thread, seq) WHERE seq IS NOT NULL;
CREATE UNIQUE INDEX log_id ON log (org, submitter, id) WHERE id IS NOT NULL;
-- The team's pages of one thread, internal records too.
CREATE INDEX log_thread ON log (org, thread, rev) WHERE thread IS NOT NULL;

CREATE TRIGGER log_no_update BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log cannot be updated'); END;

CREATE TRIGGER log_no_delete BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log cannot be deleted from'); END;

-- REPLACE removes the old row without a DELETE trigger; a BEFORE INSERT trigger sees it coming.
-- One for each unique key, so that each can be broken, and tested, alone.
CREATE TRIGGER log_no_replace_rev BEFORE INSERT ON log
WHEN EXISTS (SELECT 1 FROM log WHERE org = NEW.org AND rev = NEW.rev)
BEGIN SELECT RAISE(ABORT, 'the log cannot be replaced: rev is taken'); END;

CREATE TRIGGER log_no_replace_seq BEFORE INSERT ON log
WHEN NEW.seq IS NOT NULL
 AND EXISTS (SELECT 1 FROM log WHERE org = NEW.org AND thread = NEW.thread AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the log cannot be replaced: seq is taken'); END;

CREATE TRIGGER log_no_replace_id BEFORE INSERT ON log
WHEN NEW.id IS NOT NULL
 AND EXISTS (SELECT 1 FROM log WHERE org = NEW.org AND submitter = NEW.submitter AND id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the log cannot be replaced: id is taken'); END;

-- Which log this is. `crewline migrate --new-log` gives it another id after a restore.
CREATE TABLE log_identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
);

-- Everything below is a projection of the log: `crewline verify` recomputes it.

CREATE TABLE orgs (
    org      TEXT PRIMARY KEY,
    settings TEXT NOT NULL
) WITHOUT ROWID;

-- One narrow, hot row an org.
CREATE TABLE heads (
    org     TEXT   PRIMARY KEY,
    rev     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    -- the chain of records without a thread
    hash    BLOB   NOT NULL,
    -- threads that are new, and that wait for an answer: the team's badge
    new     BIGINT NOT NULL,
    waiting BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE contacts (
    org     TEXT NOT NULL,
    contact TEXT NOT NULL,
    thread  TEXT NOT NULL,
    person  TEXT NOT NULL,
    name    TEXT NOT NULL,
    phone   TEXT,
    PRIMARY KEY (org, contact)
) WITHOUT ROWID;

CREATE UNIQUE INDEX contacts_thread ON contacts (org, thread);

CREATE TABLE threads (
    org                  TEXT   NOT NULL,
    thread               TEXT   NOT NULL,
    seq                  BIGINT NOT NULL,
    customer_count       BIGINT NOT NULL,
    team_count           BIGINT NOT NULL,
    hash                 BLOB   NOT NULL,
    active               BIGINT NOT NULL,
    last_customer        BIGINT NOT NULL,
    last_team            BIGINT NOT NULL,
    customer_delivered   BIGINT NOT NULL,
    customer_read        BIGINT NOT NULL,
    customer_read_count  BIGINT NOT NULL,
    team_delivered       BIGINT NOT NULL,
    team_read            BIGINT NOT NULL,
    team_read_count      BIGINT NOT NULL,
    answered             BIGINT NOT NULL,
    waiting_since        BIGINT,
    PRIMARY KEY (org, thread)
) WITHOUT ROWID;

CREATE INDEX threads_active ON threads (org, active);
CREATE INDEX threads_new ON threads (org, active) WHERE customer_count > team_read_count;
CREATE INDEX threads_waiting ON threads (org, active) WHERE waiting_since IS NOT NULL;

-- Staff and services: the opaque id shown for them, and their latest name.
CREATE TABLE people (
    org    TEXT NOT NULL,
    sub    TEXT NOT NULL,
    person TEXT NOT NULL,
    name   TEXT NOT NULL,
    PRIMARY KEY (org, sub)
) WITHOUT ROWID;

-- How far each staff member has read.
CREATE TABLE reads (
    org    TEXT   NOT NULL,
    thread TEXT   NOT NULL,
    sub    TEXT   NOT NULL,
    up_to  BIGINT NOT NULL,
    PRIMARY KEY (org, thread, sub)
) WITHOUT ROWID;

CREATE TABLE revocations (
    org    TEXT   NOT NULL,
    sub    TEXT   NOT NULL,
    before BIGINT NOT NULL,
    PRIMARY KEY (org, sub)
) WITHOUT ROWID;
