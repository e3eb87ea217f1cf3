-- What depends on the dialect of a token is in its row, so that the schema knows the shapes of tokens and no dialects.
-- A check goes with the text of the table, as SQLite's documentation has it (lang_altertable.html, section 7): to copy a
-- million tokens into another table would take a minute.

-- +goose Up
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(sql,
    ' CHECK (dialect IN (''muninx'', ''apitoken'', ''unleash''))', ''),
    '    CHECK ((public_id IS NULL) = (dialect = ''unleash'')),', '')
    WHERE type = 'table' AND name = 'tokens';
PRAGMA writable_schema = RESET;

-- Whether the name is unique among those of its owner in the dialect.
ALTER TABLE tokens ADD COLUMN name_unique INTEGER NOT NULL DEFAULT 0 CHECK (name_unique IN (0, 1));
UPDATE tokens SET name_unique = 1 WHERE dialect = 'unleash' AND name <> '';

DROP INDEX tokens_unique_name;
CREATE UNIQUE INDEX tokens_unique_name ON tokens (dialect, user_id, name) WHERE name_unique AND deleted_at IS NULL;
