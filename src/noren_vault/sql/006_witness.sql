-- What witnesses have cosigned: heads that the ledger's files must at least hold at the next start, and the
-- checkpoint that is published. `signed` is the whole note; instants are milliseconds since the epoch, UTC.

-- The newest head of each witness, by the name of its key.
CREATE TABLE vault.witness (
    name   text   NOT NULL PRIMARY KEY,
    size   bigint NOT NULL CHECK (size >= 0),
    root   bytea  NOT NULL CHECK (length(root) = 32),
    signed text   NOT NULL,
    at     bigint NOT NULL
);
-- The newest head that met the policy's quorum.
CREATE TABLE vault.cosigned (
    one    boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
    size   bigint  NOT NULL CHECK (size >= 0),
    root   bytea   NOT NULL CHECK (length(root) = 32),
    signed text    NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON vault.witness, vault.cosigned TO noren_vault;
