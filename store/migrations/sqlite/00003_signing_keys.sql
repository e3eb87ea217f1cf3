-- Which key signed the secret of a token, NULL where none did or where that was not noted; and who created it, for the
-- lists of what a key signed and of what somebody who leaves has created.

-- +goose Up
ALTER TABLE tokens ADD COLUMN signing_key TEXT;

CREATE INDEX tokens_live_key ON tokens (signing_key, seq) WHERE signing_key IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tokens_live_creator ON tokens (dialect, created_by, seq) WHERE created_by IS NOT NULL AND deleted_at IS NULL;
