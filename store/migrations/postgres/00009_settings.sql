-- What was decided when the database was filled first, by name. One that is older has no rows here.

-- +goose Up
CREATE TABLE settings (
    name  text   COLLATE "C" NOT NULL PRIMARY KEY,
    value bigint NOT NULL
);
