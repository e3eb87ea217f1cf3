-- A token has a secret and, after a rotation, the previous one for a while: both are judged by one row. When the time of
-- the previous one is over, nothing is written. A secret that gave up its place in the row stays in former_secrets, so
-- that its status stays published and nobody takes it for one that was never issued.

-- +goose Up
ALTER TABLE tokens
    ADD COLUMN self_rotation       boolean NOT NULL DEFAULT false,
    ADD COLUMN rotations           bigint  NOT NULL DEFAULT 0, -- secrets after the first one, cancelled ones too
    ADD COLUMN rotated_at          bigint,
    ADD COLUMN previous_hash       bytea CHECK (octet_length(previous_hash) = 32),
    ADD COLUMN previous_key        text COLLATE "C",
    ADD COLUMN previous_list       bigint,
    ADD COLUMN previous_index      bigint CHECK ((previous_index IS NULL) = (previous_list IS NULL)),
    ADD COLUMN previous_rotated_at bigint,
    ADD COLUMN previous_ends_at    bigint CHECK ((previous_ends_at IS NULL) = (previous_hash IS NULL)),
    ADD COLUMN previous_used_at    bigint;

CREATE UNIQUE INDEX tokens_previous ON tokens (previous_hash) WHERE previous_hash IS NOT NULL;
CREATE INDEX tokens_previous_status ON tokens (previous_list) WHERE previous_list IS NOT NULL;

CREATE TABLE former_secrets (
    hash         bytea  PRIMARY KEY CHECK (octet_length(hash) = 32),
    token        bigint NOT NULL REFERENCES tokens (seq),
    status_list  bigint,
    status_index bigint CHECK ((status_index IS NULL) = (status_list IS NULL))
);
CREATE INDEX former_secrets_token ON former_secrets (token) WHERE status_list IS NOT NULL;
CREATE INDEX former_secrets_status ON former_secrets (status_list) WHERE status_list IS NOT NULL;
