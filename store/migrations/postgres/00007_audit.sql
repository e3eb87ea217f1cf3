-- What happened, and the log that proves it. Rows of events and of the log are only added: an event is stored with the
-- change that it describes, and so is its number in audit_pending, from which it is removed when the event is in the log. The
-- order of numbers is not that of commits, so no number says up to where the log has everything.

-- +goose Up
CREATE TABLE audit_events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         bigint           NOT NULL,
    actor      text COLLATE "C" NOT NULL,
    credential text COLLATE "C" NOT NULL,
    action     text COLLATE "C" NOT NULL,
    object     text COLLATE "C" NOT NULL,
    dialect    text COLLATE "C" NOT NULL,
    address    text COLLATE "C" NOT NULL,
    agent      text COLLATE "C" NOT NULL,
    request    text COLLATE "C" NOT NULL,
    before     text COLLATE "C" NOT NULL,
    after      text COLLATE "C" NOT NULL
);

CREATE INDEX audit_events_object ON audit_events (object, id);
CREATE INDEX audit_events_actor ON audit_events (actor, id);

CREATE TABLE audit_pending (
    first  bigint   NOT NULL PRIMARY KEY,
    events bigint[] NOT NULL -- of one transaction, the first one among them
);

-- A step of the log: the numbers of the events at the positions from first up to size, 8 bytes each; the hashes that these
-- add to the tree, 32 bytes each, of which the first has the number hash; and the signed checkpoint of the tree.
CREATE TABLE audit_log (
    first      bigint           NOT NULL PRIMARY KEY,
    size       bigint           NOT NULL UNIQUE,
    hash       bigint           NOT NULL UNIQUE,
    highest    bigint           NOT NULL, -- of the numbers of its events
    events     bytea            NOT NULL,
    hashes     bytea            NOT NULL,
    checkpoint text COLLATE "C" NOT NULL
);
-- Random bytes cannot be compressed, and parts of them can be read where nobody tried to.
ALTER TABLE audit_log ALTER events SET STORAGE EXTERNAL, ALTER hashes SET STORAGE EXTERNAL;

CREATE INDEX audit_log_highest ON audit_log (highest);
