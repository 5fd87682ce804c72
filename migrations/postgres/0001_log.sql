-- Whoever runs this owns the tables. Sessions that serve take the role crewline_serve, which can add
-- to the log and read it, and nothing else.

-- Roles belong to the whole cluster, and other databases of it may be migrated at this moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crewline_serve') THEN
        CREATE ROLE crewline_serve NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- it was made in the meantime
END $$;

-- The owner may serve too; another login gets this grant by hand.
DO $$
BEGIN
    EXECUTE 'GRANT crewline_serve TO CURRENT_USER';
EXCEPTION WHEN unique_violation OR internal_error OR insufficient_privilege THEN
    -- Granted in the meantime, or (where somebody else made the role) before.
    IF NOT pg_has_role(CURRENT_USER, 'crewline_serve', 'MEMBER') THEN
        RAISE;
    END IF;
END $$;

-- The log. Its rows are for ever: no statement of any session changes or removes one.
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
    hash           BYTEA  NOT NULL,
    PRIMARY KEY (org, rev),
    CHECK ((seq IS NULL) = (body_public IS NULL))
);

CREATE UNIQUE INDEX log_seq ON log (org, thread, seq) WHERE seq IS NOT NULL;
CREATE UNIQUE INDEX log_id ON log (org, submitter, id) WHERE id IS NOT NULL;
-- The team's pages of one thread, internal records too.
CREATE INDEX log_thread ON log (org, thread, rev) WHERE thread IS NOT NULL;

CREATE FUNCTION log_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log cannot be changed: % refused', TG_OP;
END $$;

-- One each, so that each can be broken, and tested, alone. ALWAYS: session_replication_role, too,
-- does not switch them off.
CREATE TRIGGER log_no_update BEFORE UPDATE ON log FOR EACH STATEMENT EXECUTE FUNCTION log_refuses();
CREATE TRIGGER log_no_delete BEFORE DELETE ON log FOR EACH STATEMENT EXECUTE FUNCTION log_refuses();
CREATE TRIGGER log_no_truncate BEFORE TRUNCATE ON log FOR EACH STATEMENT EXECUTE FUNCTION log_refuses();
ALTER TABLE log ENABLE ALWAYS TRIGGER log_no_update;
ALTER TABLE log ENABLE ALWAYS TRIGGER log_no_delete;
ALTER TABLE log ENABLE ALWAYS TRIGGER log_no_truncate;

-- Which log this is. `crewline migrate --new-log` gives it another id after a restore.
CREATE TABLE log_identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
);
INSERT INTO log_identity VALUES (1, gen_random_uuid());

-- Everything below is a projection of the log: `crewline verify` recomputes it.

CREATE TABLE orgs (
    org      TEXT PRIMARY KEY,
    settings TEXT NOT NULL
);

-- One narrow, hot row an org: its lock, and room on its page for the next version of it.
CREATE TABLE heads (
    org     TEXT   PRIMARY KEY,
    rev     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    -- the chain of records without a thread
    hash    BYTEA  NOT NULL,
    -- threads that are new, and that wait for an answer: the team's badge
    new     BIGINT NOT NULL,
    waiting BIGINT NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE contacts (
    org     TEXT NOT NULL,
    contact TEXT NOT NULL,
    thread  TEXT NOT NULL,
    person  TEXT NOT NULL,
    name    TEXT NOT NULL,
    phone   TEXT,
    PRIMARY KEY (org, contact)
);

CREATE UNIQUE INDEX contacts_thread ON contacts (org, thread);

CREATE TABLE threads (
    org                  TEXT   NOT NULL,
    thread               TEXT   NOT NULL,
    seq                  BIGINT NOT NULL,
    customer_count       BIGINT NOT NULL,
    team_count           BIGINT NOT NULL,
    hash                 BYTEA  NOT NULL,
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
);

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
);

-- How far each staff member has read.
CREATE TABLE reads (
    org    TEXT   NOT NULL,
    thread TEXT   NOT NULL,
    sub    TEXT   NOT NULL,
    up_to  BIGINT NOT NULL,
    PRIMARY KEY (org, thread, sub)
);

CREATE TABLE revocations (
    org    TEXT   NOT NULL,
    sub    TEXT   NOT NULL,
    before BIGINT NOT NULL,
    PRIMARY KEY (org, sub)
);

GRANT SELECT, INSERT ON log TO crewline_serve;
GRANT SELECT ON log_identity, _sqlx_migrations TO crewline_serve;
GRANT SELECT, INSERT, UPDATE ON orgs, heads, contacts, threads, people, reads, revocations TO crewline_serve;
