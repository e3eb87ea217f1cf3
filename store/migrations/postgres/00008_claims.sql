-- Requests that may be repeated, until they expire: keyed hashes of the request, and its answer, sealed so that neither the
-- database nor the servers' key opens it without the caller's secret.

-- +goose Up
CREATE TABLE claims (
    id         bytea  NOT NULL PRIMARY KEY CHECK (octet_length(id) = 32),
    request    bytea  NOT NULL CHECK (octet_length(request) = 32),
    answer     bytea  NOT NULL,
    expires_at bigint NOT NULL
);

CREATE INDEX claims_expiry ON claims (expires_at);
