-- Attachments that do not go along with a text, which says how many there are.
ALTER TABLE outbox ADD COLUMN counted BIGINT NOT NULL DEFAULT 0;
