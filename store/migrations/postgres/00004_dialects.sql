-- What depends on the dialect of a token is in its row, so that the schema knows the shapes of tokens and no dialects.

-- +goose Up
ALTER TABLE tokens ADD COLUMN name_unique boolean NOT NULL DEFAULT false; -- among the names of its owner in the dialect
UPDATE tokens SET name_unique = true WHERE dialect = 'unleash' AND name <> '';

ALTER TABLE tokens
    DROP CONSTRAINT tokens_dialect_check,
    DROP CONSTRAINT tokens_check;

DROP INDEX tokens_unique_name;
CREATE UNIQUE INDEX tokens_unique_name ON tokens (dialect, user_id, name) WHERE name_unique AND deleted_at IS NULL;
