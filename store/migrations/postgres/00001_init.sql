-- Times are Unix milliseconds, NULL where there is none. Rows of tokens are never removed: a deleted token stays as a
-- tombstone, so that neither its id nor its hash is used again. Text that is compared or ordered as an id has the
-- collation "C", whose order is that of the bytes.

-- +goose Up
CREATE TABLE accounts (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    name       text             NOT NULL,
    disabled   boolean          NOT NULL,
    created_at bigint           NOT NULL,
    updated_at bigint           NOT NULL
);

CREATE TABLE environments (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    account_id text COLLATE "C" NOT NULL REFERENCES accounts (id),
    name       text             NOT NULL,
    disabled   boolean          NOT NULL,
    created_at bigint           NOT NULL,
    updated_at bigint           NOT NULL
);

CREATE TABLE users (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    admin_id   text COLLATE "C" NOT NULL UNIQUE,
    issuer     text COLLATE "C" NOT NULL,
    subject    text COLLATE "C" NOT NULL,
    name       text             NOT NULL,
    role       text             NOT NULL CHECK (role IN ('admin', 'introspector', 'member')),
    account_id text COLLATE "C" REFERENCES accounts (id),
    disabled   boolean          NOT NULL,
    created_at bigint           NOT NULL,
    updated_at bigint           NOT NULL
);

-- A user without a subject is known to no issuer.
CREATE UNIQUE INDEX users_subject ON users (issuer, subject) WHERE subject <> '';
CREATE INDEX users_admins ON users (id) WHERE role = 'admin' AND NOT disabled;

CREATE TABLE tokens (
    seq                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dialect             text COLLATE "C" NOT NULL CHECK (dialect IN ('muninx', 'apitoken', 'unleash')),
    public_id           text COLLATE "C", -- NULL where seq is the public id
    secret_hash         bytea            NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    name                text COLLATE "C" NOT NULL,
    scope               text COLLATE "C" NOT NULL,
    user_id             bigint REFERENCES users (id),
    account_id          text COLLATE "C" REFERENCES accounts (id),
    environment_id      text COLLATE "C" REFERENCES environments (id),
    state               text COLLATE "C" NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
    suspended_by_admin  boolean          NOT NULL,
    introspector        boolean          NOT NULL,
    role_limit          text COLLATE "C" NOT NULL CHECK (role_limit IN ('', 'admin', 'introspector', 'member')),
    created_by          bigint,
    created_by_admin_id text COLLATE "C",
    minted_by           bigint,
    created_at          bigint           NOT NULL,
    updated_at          bigint           NOT NULL,
    expires_at          bigint,
    last_used_at        bigint,
    deleted_at          bigint,
    CHECK ((public_id IS NULL) = (dialect = 'unleash')),
    UNIQUE (dialect, public_id)
);

-- The second wall behind the decision that the creating transaction takes.
CREATE UNIQUE INDEX tokens_unique_name ON tokens (user_id, name)
    WHERE dialect = 'unleash' AND deleted_at IS NULL AND name <> '';

-- A page of any of these lists is one range of one index.
CREATE INDEX tokens_live ON tokens (seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_dialect ON tokens (dialect, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_user ON tokens (dialect, user_id, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_account ON tokens (dialect, account_id, seq) WHERE deleted_at IS NULL;
CREATE INDEX tokens_live_environment ON tokens (dialect, environment_id, seq) WHERE deleted_at IS NULL;
