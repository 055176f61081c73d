-- Incidents: books that are only added to. What a record says lies sealed; that there is one, by whom and when, and
-- a commitment to its words stand on the ledger. Instants are milliseconds since the epoch, UTC.
CREATE TABLE vault.incident (
    incident  text   NOT NULL PRIMARY KEY CHECK (incident ~ '^[0-9a-f]{16}$'),
    opened_at bigint NOT NULL
);
-- `by`: a handle, or admin. `sealed`: the words and the salt of their commitment. A rotation alone writes it anew.
CREATE TABLE vault.incident_record (
    incident text    NOT NULL REFERENCES vault.incident (incident),
    number   integer NOT NULL CHECK (number > 0),
    at       bigint  NOT NULL,
    by       text    NOT NULL,
    kind     text    NOT NULL,
    sealed   bytea   NOT NULL,
    PRIMARY KEY (incident, number)
);
-- Who reads and writes it. `barred`: whoever may be what it is about; to her there is no such incident.
CREATE TABLE vault.incident_member (
    incident text NOT NULL REFERENCES vault.incident (incident),
    actor    uuid NOT NULL REFERENCES vault.actor (actor),
    standing text NOT NULL CHECK (standing IN ('in', 'out', 'barred')),
    PRIMARY KEY (incident, actor)
);
CREATE INDEX incident_member_actor_v1 ON vault.incident_member (actor) WHERE standing = 'in';
GRANT SELECT, INSERT, UPDATE ON vault.incident, vault.incident_record, vault.incident_member TO noren_vault;
