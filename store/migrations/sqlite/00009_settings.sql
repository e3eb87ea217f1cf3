-- What was decided when the database was filled first, by name. One that is older has no rows here.

-- +goose Up
CREATE TABLE settings (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
