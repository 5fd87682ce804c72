-- What can be found. `words` are folded words, each behind the key of its org and of the block of revs
-- that it stands in, so that one index answers for one org's newest block and reads of no other.
CREATE TABLE search (
    org    TEXT     NOT NULL,
    rev    BIGINT   NOT NULL,
    -- who finds it by these words: a record whose public text is another has a row for each side
    team   BIGINT   NOT NULL,
    public BIGINT   NOT NULL,
    words  TSVECTOR NOT NULL,
    PRIMARY KEY (org, rev, public)
);

-- New entries wait in a list and are merged by the hundred, which costs the writer a third of merging each
-- alone. Every search reads that list once for each block, so it is kept short (kB).
CREATE INDEX search_words ON search USING gin (words) WITH (gin_pending_list_limit = 512);

GRANT SELECT, INSERT ON search TO crewline_serve;
