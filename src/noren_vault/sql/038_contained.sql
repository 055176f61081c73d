-- What more is done for an incident. Instants are milliseconds since the epoch, UTC.

-- `rung_at`: when its day of looking again had come and a sign was made of it; once.
ALTER TABLE vault.legal_hold ADD COLUMN rung_at bigint;
CREATE INDEX legal_hold_to_ring_v1 ON vault.legal_hold (look_at) WHERE ended_at IS NULL AND rung_at IS NULL;

-- While one lasts nobody signs in from there. `sealed`: the network, or the part of what a browser says it is. `by`: who
-- set it, and so does not open it again; it ends by itself at `until`.
CREATE TABLE vault.path_block (
    block     text   NOT NULL PRIMARY KEY CHECK (block ~ '^[0-9a-f]{16}$'),
    incident  text   NOT NULL REFERENCES vault.incident (incident),
    kind      text   NOT NULL CHECK (kind IN ('address', 'device')),
    sealed    bytea  NOT NULL,
    by        text   NOT NULL,
    since     bigint NOT NULL,
    until     bigint NOT NULL CHECK (until > since),
    opened_by text,
    opened_at bigint,
    CHECK (opened_by <> by OR by = 'admin'),
    CHECK ((opened_by IS NULL) = (opened_at IS NULL))
);
CREATE INDEX path_block_lasting_v1 ON vault.path_block (until) WHERE opened_at IS NULL;
CREATE INDEX path_block_incident_v1 ON vault.path_block (incident);
GRANT SELECT, INSERT, UPDATE ON vault.path_block TO noren_vault;
