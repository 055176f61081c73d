-- Signs: that something may be amiss, from where, how often, and who deals with it; the rings of each; and files that
-- came from outside. What a sign or a file says lies sealed. Instants are milliseconds since the epoch, UTC.

-- `same`: what comes again under this is counted, not rung again. `entry`: the newest entry of the ledger that it was
-- seen in. `by`: whoever took, dismissed or joined it. `person`: who reported it, where she gave an address.
CREATE TABLE vault.sign (
    sign     text    NOT NULL PRIMARY KEY CHECK (sign ~ '^[0-9a-f]{16}$'),
    source   text    NOT NULL CHECK (source IN ('vault', 'ledger', 'door', 'person', 'outside')),
    what     text    NOT NULL CHECK (what ~ '^[a-z_]{1,30}$'),
    same     text    NOT NULL,
    first_at bigint  NOT NULL,
    last_at  bigint  NOT NULL,
    times    integer NOT NULL DEFAULT 1 CHECK (times > 0),
    entry    bigint  NOT NULL,
    state    text    NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'taken', 'dismissed', 'incident')),
    by       text    NOT NULL DEFAULT '',
    since    bigint  NOT NULL,
    incident text    REFERENCES vault.incident (incident),
    person   uuid,
    rung     integer NOT NULL DEFAULT 0,
    next_at  bigint,
    sealed   bytea   NOT NULL,
    CHECK ((state = 'incident') = (incident IS NOT NULL))
);
CREATE INDEX sign_same_v1 ON vault.sign (same, last_at);
CREATE INDEX sign_due_v1 ON vault.sign (next_at) WHERE state = 'new';
CREATE INDEX sign_incident_v1 ON vault.sign (incident) WHERE incident IS NOT NULL;
CREATE INDEX sign_person_v1 ON vault.sign (person) WHERE person IS NOT NULL;

-- Up to where the ledger was looked through for signs.
CREATE TABLE vault.sign_seen (
    one   boolean NOT NULL PRIMARY KEY CHECK (one),
    entry bigint  NOT NULL
);

-- One ring to everybody. `hook_next`: when the alarm outside is told of it (again), empty once it is or never will be.
CREATE TABLE vault.sign_ring (
    sign      text    NOT NULL REFERENCES vault.sign (sign),
    number    integer NOT NULL CHECK (number > 0),
    at        bigint  NOT NULL,
    tries     integer NOT NULL DEFAULT 0,
    hook_next bigint,
    hooked_at bigint,
    PRIMARY KEY (sign, number)
);
CREATE INDEX sign_ring_hook_v1 ON vault.sign_ring (hook_next) WHERE hook_next IS NOT NULL;
-- Who is mailed to: operators of a ring; under number 0 whoever reported it, with the acknowledgement.
CREATE TABLE vault.sign_bell (
    sign    text    NOT NULL REFERENCES vault.sign (sign),
    number  integer NOT NULL CHECK (number >= 0),
    person  uuid    NOT NULL,
    told_at bigint,
    PRIMARY KEY (sign, number, person)
);
CREATE INDEX sign_bell_open_v1 ON vault.sign_bell (sign) WHERE told_at IS NULL;

-- A file of an incident, or of a report. `sealed`: its name, where it comes from, how far that clock is off, its hash.
CREATE TABLE vault.evidence (
    file     text    NOT NULL PRIMARY KEY CHECK (file ~ '^[0-9a-f]{16}$'),
    incident text    REFERENCES vault.incident (incident),
    sign     text    REFERENCES vault.sign (sign),
    at       bigint  NOT NULL,
    by       text    NOT NULL,
    size     integer NOT NULL CHECK (size > 0),
    sealed   bytea   NOT NULL,
    CHECK ((incident IS NULL) <> (sign IS NULL))
);
CREATE INDEX evidence_incident_v1 ON vault.evidence (incident);
CREATE INDEX evidence_sign_v1 ON vault.evidence (sign);
CREATE TABLE vault.evidence_piece (
    file   text    NOT NULL REFERENCES vault.evidence (file),
    number integer NOT NULL CHECK (number >= 0),
    sealed bytea   NOT NULL,
    PRIMARY KEY (file, number)
);

-- Whoever reports something from outside is a person of no shop, as a reader of notices is.
ALTER TABLE vault.person DROP CONSTRAINT person_kind_check, DROP CONSTRAINT person_reader_v1;
ALTER TABLE vault.person ADD CONSTRAINT person_kind_check
    CHECK (kind IN ('customer', 'member', 'canary', 'reader', 'reporter')),
    ADD CONSTRAINT person_reader_v2 CHECK (kind NOT IN ('reader', 'reporter') OR shop_id = 0);
GRANT SELECT, INSERT, UPDATE ON vault.sign, vault.sign_seen, vault.sign_ring, vault.sign_bell, vault.evidence, vault.evidence_piece
    TO noren_vault;
