-- Where the status of a token is published. The secret tells in which order a list is filled, next what comes next.

-- +goose Up
CREATE TABLE status_places (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    secret BLOB    NOT NULL CHECK (length(secret) = 32),
    next   INTEGER NOT NULL
) STRICT;
INSERT INTO status_places (id, secret, next) VALUES (1, randomblob(32), 0);

ALTER TABLE tokens ADD COLUMN status_list INTEGER;
ALTER TABLE tokens ADD COLUMN status_index INTEGER CHECK ((status_index IS NULL) = (status_list IS NULL));

CREATE UNIQUE INDEX tokens_status ON tokens (status_list, status_index) WHERE status_list IS NOT NULL;
CREATE INDEX tokens_not_valid ON tokens (status_list)
    WHERE status_list IS NOT NULL AND (state <> 'active' OR deleted_at IS NOT NULL);
