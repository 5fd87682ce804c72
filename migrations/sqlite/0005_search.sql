-- What can be found.
CREATE TABLE search (
    id     INTEGER PRIMARY KEY,
    org    TEXT    NOT NULL,
    rev    BIGINT  NOT NULL,
    -- who finds it by its words: a record whose public text is another has a row for each side
    team   BIGINT  NOT NULL,
    public BIGINT  NOT NULL
);
CREATE UNIQUE INDEX search_rev ON search (org, rev, public);

-- Its words, under its id. `scope` has the key of the org and, if it is public, of the thread. The words
-- are cut and folded before, so the tokenizer has only the spaces to find.
CREATE VIRTUAL TABLE search_words USING fts5(scope, words, content = '', tokenize = 'ascii');
