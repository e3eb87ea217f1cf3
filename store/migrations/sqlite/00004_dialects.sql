-- What depends on the dialect of a token is in its row, so that the schema knows the shapes of tokens and no dialects.
-- SQLite takes a check away only with its table; the next number must not fall back with it.

-- +goose Up
CREATE TABLE tokens_new (
    seq                 INTEGER PRIMARY KEY AUTOINCREMENT,
    dialect             TEXT    NOT NULL,
    public_id           TEXT, -- NULL where seq is the public id
    secret_hash         BLOB    NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    name                TEXT    NOT NULL,
    name_unique         INTEGER NOT NULL CHECK (name_unique IN (0, 1)), -- among the names of its owner in the dialect
    scope               TEXT    NOT NULL,
    user_id             INTEGER REFERENCES users (id),
    account_id          TEXT    REFERENCES accounts (id),
    environment_id      TEXT    REFERENCES environments (id),
    state               TEXT    NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
    suspended_by_admin  INTEGER NOT NULL CHECK (suspended_by_admin IN (0, 1)),
    introspector        INTEGER NOT NULL CHECK (introspector IN (0, 1)),
    role_limit          TEXT NOT NULL CHECK (role_limit IN ('', 'admin', 'introspector', 'member')),
    created_by          INTEGER,
    created_by_admin_id TEXT,
    minted_by           INTEGER,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    expires_at          INTEGER,
    last_used_at        INTEGER,
    deleted_at          INTEGER,
    status_list         INTEGER,
    status_index        INTEGER CHECK ((status_index IS NULL) = (status_list IS NULL)),
    signing_key         TEXT,
    CHECK (environment_id IS NULL OR account_id IS NOT NULL),
    CHECK (NOT name_unique OR user_id IS NOT NULL AND name <> ''),
    UNIQUE (dialect, public_id)
) STRICT;

INSERT INTO tokens_new (seq, dialect, public_id, secret_hash, name, name_unique, scope, user_id, account_id, environment_id,
    state, suspended_by_admin, introspector, role_limit, created_by, created_by_admin_id, minted_by, created_at, updated_at,
    expires_at, last_used_at, deleted_at, status_list, status_index, signing_key)
SELECT seq, dialect, public_id, secret_hash, name, dialect = 'unleash' AND name <> '', scope, user_id, account_id, environment_id,
    state, suspended_by_admin, introspector, role_limit, created_by, created_by_admin_id, minted_by, created_at, updated_at,
    expires_at, last_used_at, deleted_at, status_list, status_index, signing_key
FROM tokens ORDER BY seq;

DELETE FROM sqlite_sequence WHERE name = 'tokens_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'tokens_new', seq FROM sqlite_sequence WHERE name = 'tokens';

DROP TABLE tokens;
ALTER TABLE tokens_new RENAME TO tokens;

-- The second wall behind the decision that the creating transaction takes.
CREATE UNIQUE INDEX tokens_unique_name ON tokens (dialect, user_id, name) WHERE name_unique AND deleted_at IS NULL;

-- A page of any of these lists is one range of one index.
CREATE INDEX tokens_live ON tokens (seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_dialect ON tokens (dialect, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_user ON tokens (dialect, user_id, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_account ON tokens (dialect, account_id, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_environment ON tokens (dialect, environment_id, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_key ON tokens (signing_key, seq) WHERE signing_key IS NOT NULL AND deleted_at IS NULL;

CREATE UNIQUE INDEX tokens_status ON tokens (status_list, status_index) WHERE status_list IS NOT NULL;
CREATE INDEX tokens_not_valid ON tokens (status_list)
    WHERE status_list IS NOT NULL AND (state <> 'active' OR deleted_at IS NOT NULL);
CREATE INDEX tokens_creator ON tokens (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX tokens_minter ON tokens (minted_by) WHERE minted_by IS NOT NULL;
