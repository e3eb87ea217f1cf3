-- Which key signed the secret of a token, NULL where none did or where that was not noted; and indexes for the
-- lists of what a key signed and of what somebody who leaves has created.

-- +goose Up
ALTER TABLE tokens ADD COLUMN signing_key TEXT;

CREATE INDEX tokens_live_key ON tokens (signing_key, seq) WHERE signing_key IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tokens_creator ON tokens (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX tokens_minter ON tokens (minted_by) WHERE minted_by IS NOT NULL;
