-- Times are Unix milliseconds, NULL where there is none. Rows of tokens are never removed: a deleted token stays as a
-- tombstone, so that neither its id nor its hash is used again.

-- +goose Up
CREATE TABLE accounts (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE environments (
    id         TEXT    NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL REFERENCES accounts (id),
    name       TEXT    NOT NULL,
    disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    admin_id   TEXT    NOT NULL UNIQUE,
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL CHECK (role IN ('admin', 'introspector', 'member')),
    account_id TEXT    REFERENCES accounts (id),
    disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- A user without a subject is known to no issuer.
CREATE UNIQUE INDEX users_subject ON users (issuer, subject) WHERE subject <> '';
CREATE INDEX users_admins ON users (id) WHERE role = 'admin' AND NOT disabled;

CREATE TABLE tokens (
    seq                 INTEGER PRIMARY KEY AUTOINCREMENT,
    dialect             TEXT    NOT NULL CHECK (dialect IN ('muninx', 'apitoken', 'unleash')),
    public_id           TEXT, -- NULL where seq is the public id
    secret_hash         BLOB    NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    name                TEXT    NOT NULL,
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
    CHECK ((public_id IS NULL) = (dialect = 'unleash')),
    UNIQUE (dialect, public_id)
) STRICT;

-- The second wall behind the decision that the creating transaction takes.
CREATE UNIQUE INDEX tokens_unique_name ON tokens (user_id, name)
    WHERE dialect = 'unleash' AND deleted_at IS NULL AND name <> '';

-- A page of any of these lists is one range of one index.
CREATE INDEX tokens_live ON tokens (seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_dialect ON tokens (dialect, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_user ON tokens (dialect, user_id, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_account ON tokens (dialect, account_id, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_environment ON tokens (dialect, environment_id, seq) WHERE deleted_at IS NULL;
