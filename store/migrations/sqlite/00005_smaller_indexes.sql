-- An entry in an index is written with every token, so a token is only in those in which somebody looks for it. A list of
-- all dialects is read from the lists of each.

-- +goose Up
DROP INDEX tokens_live;
DROP INDEX tokens_live_user;
DROP INDEX tokens_live_account;
DROP INDEX tokens_live_environment;
DROP INDEX tokens_minter;
CREATE INDEX tokens_live_user ON tokens (dialect, user_id, seq) WHERE deleted_at IS NULL AND user_id IS NOT NULL;
CREATE INDEX tokens_live_account ON tokens (dialect, account_id, seq)
    WHERE deleted_at IS NULL AND account_id IS NOT NULL;
CREATE INDEX tokens_live_environment ON tokens (dialect, environment_id, seq)
    WHERE deleted_at IS NULL AND environment_id IS NOT NULL;
CREATE INDEX tokens_minter ON tokens (minted_by) WHERE minted_by IS NOT NULL AND created_by IS NULL;

-- Rows are never removed, so the number after the highest was never used. AUTOINCREMENT would write it in one more table.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'INTEGER PRIMARY KEY AUTOINCREMENT', 'INTEGER PRIMARY KEY')
    WHERE type = 'table' AND name = 'tokens';
PRAGMA writable_schema = RESET;
