-- Foreign sessions at the databases. The ledger tells that there was one, and when; what may not stand there
-- lies sealed here: from which address, under which name, and why it was all right.
CREATE TABLE vault.door (
    session text   NOT NULL,
    note    text   NOT NULL,
    sealed  bytea  NOT NULL,
    at      bigint NOT NULL,
    PRIMARY KEY (session, note)
);
GRANT SELECT, INSERT, UPDATE ON vault.door TO noren_vault;
-- Few among many: signs and digests of the connection logs.
CREATE INDEX ledger_door_v1 ON vault.ledger_entry (kind, entry) WHERE kind IN ('door', 'connections');
