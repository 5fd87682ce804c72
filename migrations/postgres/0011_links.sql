-- 1 for a text whose photos stay out: it links to where they are seen.
ALTER TABLE outbox ADD COLUMN linked BIGINT NOT NULL DEFAULT 0;
