-- Which keys may be in use, and what becomes of the others. Ids are the 4 bytes that each ciphertext names.
-- A row in `epoch` or `index_key` is a key under which something may lie. To retire a key is to delete its row,
-- and the foreign keys let that happen only when nothing is under it any more.
CREATE TABLE keystore.epoch (
    id      bytea   NOT NULL PRIMARY KEY CHECK (length(id) = 4),
    number  integer NOT NULL UNIQUE,
    made_at bigint  NOT NULL
);
CREATE TABLE vault.index_key (
    id      bytea   NOT NULL PRIMARY KEY CHECK (length(id) = 4),
    number  integer NOT NULL UNIQUE,
    made_at bigint  NOT NULL
);

-- wrapped = data key's id (4) | version (1) | epoch's id (4) | ...: the column says what the ciphertext says.
ALTER TABLE keystore.person_key
    ADD COLUMN keyed_at bigint NOT NULL,
    ADD CONSTRAINT person_key_wrapped_v1 CHECK (substring(wrapped FROM 6 FOR 4) = epoch),
    ADD CONSTRAINT person_key_epoch_v1 FOREIGN KEY (epoch) REFERENCES keystore.epoch (id);
ALTER TABLE vault.blind
    ADD COLUMN index_key bytea NOT NULL,
    ADD CONSTRAINT blind_index_key_v1 FOREIGN KEY (index_key) REFERENCES vault.index_key (id);
-- The key under which `key_hash` and `content` were computed.
ALTER TABLE vault.person
    ADD COLUMN index_key bytea,
    ADD CONSTRAINT person_index_key_v1 FOREIGN KEY (index_key) REFERENCES vault.index_key (id),
    ADD CONSTRAINT person_hashed_v1 CHECK (index_key IS NOT NULL OR (key_hash IS NULL AND content IS NULL));

-- Rotations. `entry` is the ledger's entry that began it, `told` the one that says it is done.
CREATE TABLE vault.rotation (
    entry    bigint NOT NULL PRIMARY KEY,
    kind     text   NOT NULL CHECK (kind IN ('epoch', 'data', 'index')),
    new_key  bytea  CHECK (length(new_key) = 4),
    begun_at bigint NOT NULL,
    total    bigint NOT NULL,
    done     bigint NOT NULL DEFAULT 0,
    ended_at bigint,
    told     bigint,
    CHECK ((kind = 'data') = (new_key IS NULL))
);
CREATE UNIQUE INDEX rotation_open_v1 ON vault.rotation ((true)) WHERE ended_at IS NULL;

-- Retired keys: nothing is under them here, older backups may need them until `destroy_at`.
CREATE TABLE vault.retired_key (
    kind         text    NOT NULL CHECK (kind IN ('epoch', 'index')),
    id           bytea   NOT NULL CHECK (length(id) = 4),
    number       integer NOT NULL,
    rotation     bigint  NOT NULL REFERENCES vault.rotation (entry),
    retired_at   bigint  NOT NULL,
    destroy_at   bigint  NOT NULL,
    destroyed_at bigint,
    PRIMARY KEY (kind, id)
);

-- The ring of backup keys: one a day on which a backup was made.
CREATE TABLE vault.backup_key (
    id           bytea   NOT NULL PRIMARY KEY CHECK (length(id) = 4),
    number       integer NOT NULL UNIQUE,
    made_at      bigint  NOT NULL,
    destroy_at   bigint  NOT NULL,
    destroyed_at bigint
);

GRANT SELECT, INSERT, DELETE ON keystore.epoch, vault.index_key TO noren_vault;
GRANT SELECT, INSERT, UPDATE ON vault.rotation, vault.retired_key, vault.backup_key TO noren_vault;
