-- Requests that may be repeated, until they expire: keyed hashes of the request, and its answer, sealed so that neither the
-- database nor the servers' key opens it without the caller's secret.

-- +goose Up
CREATE TABLE claims (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    request    BLOB    NOT NULL CHECK (length(request) = 32),
    answer     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_expiry ON claims (expires_at);
