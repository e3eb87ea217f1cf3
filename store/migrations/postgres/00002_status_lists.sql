-- Where the status of a token is published. The secret tells in which order a list is filled, the sequence what comes
-- next.

-- +goose Up
CREATE TABLE status_places (
    id     integer PRIMARY KEY CHECK (id = 1),
    secret bytea   NOT NULL CHECK (length(secret) = 32)
);
INSERT INTO status_places (id, secret)
    VALUES (1, decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
CREATE SEQUENCE status_numbers MINVALUE 0 START 0;

ALTER TABLE tokens ADD COLUMN status_list bigint;
ALTER TABLE tokens ADD COLUMN status_index bigint CHECK ((status_index IS NULL) = (status_list IS NULL));

CREATE UNIQUE INDEX tokens_status ON tokens (status_list, status_index) WHERE status_list IS NOT NULL;
CREATE INDEX tokens_not_valid ON tokens (status_list)
    WHERE status_list IS NOT NULL AND (state <> 'active' OR deleted_at IS NOT NULL);
