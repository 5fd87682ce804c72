-- Nodes that say that they cannot publish: the others sweep while a row is fresh. Not part of any log.
CREATE TABLE nodes (
    node TEXT   PRIMARY KEY,
    at   BIGINT NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON nodes TO crewline_serve;
