-- Photos: what was uploaded, and what is to be fetched of MMS.

-- Uploads, sent or not; and files that came by MMS, whose width and height are 0. The pictures themselves
-- lie elsewhere. What stands in a message (state, thread, seq) is a projection of the log.
CREATE TABLE photos (
    org          TEXT   NOT NULL,
    photo        TEXT   NOT NULL,
    uploader     TEXT   NOT NULL,
    width        BIGINT NOT NULL,
    height       BIGINT NOT NULL,
    bytes        BIGINT NOT NULL,
    -- of the original
    sha256       TEXT   NOT NULL,
    content_type TEXT   NOT NULL,
    -- uploaded, sent, or going: nobody sent it in time, and its files are being removed
    state        TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    thread       TEXT,
    -- null if internal
    seq          BIGINT,
    PRIMARY KEY (org, photo),
    CHECK ((state = 'sent') = (thread IS NOT NULL))
) WITHOUT ROWID;
-- A link names only the photo.
CREATE UNIQUE INDEX photos_photo ON photos (photo);
CREATE INDEX photos_unsent ON photos (at) WHERE state <> 'sent';

CREATE TRIGGER photos_no_delete BEFORE DELETE ON photos WHEN OLD.state = 'sent'
BEGIN SELECT RAISE(ABORT, 'a photo that was sent is for ever'); END;
CREATE TRIGGER photos_no_unsend BEFORE UPDATE ON photos WHEN OLD.state = 'sent' AND NEW.state <> 'sent'
BEGIN SELECT RAISE(ABORT, 'a photo that was sent is for ever'); END;

-- Parts of MMS that are not fetched yet: a message's media without their `media`. A projection of the log.
CREATE TABLE missing (
    org          TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    message      TEXT   NOT NULL,
    thread       TEXT   NOT NULL,
    of           BIGINT NOT NULL,
    part         BIGINT NOT NULL,
    content_type TEXT   NOT NULL,
    due_at       BIGINT NOT NULL,
    tries        BIGINT NOT NULL,
    PRIMARY KEY (org, source)
) WITHOUT ROWID;
CREATE INDEX missing_due ON missing (due_at);

-- Photos that go along with a text, separated by spaces.
ALTER TABLE outbox ADD COLUMN media TEXT NOT NULL DEFAULT '';
