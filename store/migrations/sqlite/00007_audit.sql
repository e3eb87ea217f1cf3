-- What happened, and the log that proves it. Rows are only added: an event is stored with the change that it describes.
-- Here transactions commit in the order of the numbers of their events, so that what is not in the log yet is what comes
-- after the last one in it.

-- +goose Up
CREATE TABLE audit_events (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    credential TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    object     TEXT    NOT NULL,
    dialect    TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    request    TEXT    NOT NULL,
    before     TEXT    NOT NULL,
    after      TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_events_object ON audit_events (object);
CREATE INDEX audit_events_actor ON audit_events (actor);

-- A step of the log: the numbers of the events at the positions from first up to size, 8 bytes each; the hashes that these
-- add to the tree, 32 bytes each, of which the first has the number hash; and the signed checkpoint of the tree.
CREATE TABLE audit_log (
    first      INTEGER PRIMARY KEY,
    size       INTEGER NOT NULL UNIQUE,
    hash       INTEGER NOT NULL UNIQUE,
    highest    INTEGER NOT NULL, -- of the numbers of its events
    events     BLOB    NOT NULL,
    hashes     BLOB    NOT NULL,
    checkpoint TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_log_highest ON audit_log (highest);
