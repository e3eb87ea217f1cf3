-- A token has a secret and, after a rotation, the previous one for a while: both are judged by one row. When the time of
-- the previous one is over, nothing is written. A secret that gave up its place in the row stays in former_secrets, so
-- that its status stays published and nobody takes it for one that was never issued.

-- +goose Up
ALTER TABLE tokens ADD COLUMN self_rotation INTEGER NOT NULL DEFAULT 0 CHECK (self_rotation IN (0, 1));
ALTER TABLE tokens ADD COLUMN rotations INTEGER NOT NULL DEFAULT 0; -- secrets after the first one, cancelled ones too
ALTER TABLE tokens ADD COLUMN rotated_at INTEGER;
ALTER TABLE tokens ADD COLUMN previous_hash BLOB CHECK (length(previous_hash) = 32);
ALTER TABLE tokens ADD COLUMN previous_key TEXT;
ALTER TABLE tokens ADD COLUMN previous_list INTEGER;
ALTER TABLE tokens ADD COLUMN previous_index INTEGER CHECK ((previous_index IS NULL) = (previous_list IS NULL));
ALTER TABLE tokens ADD COLUMN previous_rotated_at INTEGER;
ALTER TABLE tokens ADD COLUMN previous_ends_at INTEGER CHECK ((previous_ends_at IS NULL) = (previous_hash IS NULL));
ALTER TABLE tokens ADD COLUMN previous_used_at INTEGER;

CREATE UNIQUE INDEX tokens_previous ON tokens (previous_hash) WHERE previous_hash IS NOT NULL;
CREATE INDEX tokens_previous_status ON tokens (previous_list) WHERE previous_list IS NOT NULL;

CREATE TABLE former_secrets (
    hash         BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    token        INTEGER NOT NULL REFERENCES tokens (seq),
    status_list  INTEGER,
    status_index INTEGER CHECK ((status_index IS NULL) = (status_list IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX former_secrets_token ON former_secrets (token) WHERE status_list IS NOT NULL;
CREATE INDEX former_secrets_status ON former_secrets (status_list) WHERE status_list IS NOT NULL;
