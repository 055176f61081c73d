-- Lists of persons that leave or come in: who asked, who agreed, what was told of it, and the canaries in them.
-- Instants are milliseconds since the epoch, UTC.

-- A canary is nobody: sealed and rotated as a person is, and found, shown, counted and written to by nothing.
ALTER TABLE vault.person DROP CONSTRAINT person_kind_check;
ALTER TABLE vault.person ADD CONSTRAINT person_kind_check CHECK (kind IN ('customer', 'member', 'canary'));

-- `sealed` are the words of the reason. `persons` is how many were asked for, `second` whether somebody else must
-- agree, `told` up to which place the newest run has come, `runs` how often it was begun. `about` is a file's hash.
CREATE TABLE vault.transfer (
    transfer   text    NOT NULL PRIMARY KEY CHECK (transfer ~ '^[0-9a-f]{16}$'),
    kind       text    NOT NULL CHECK (kind IN ('export', 'import')),
    shop_id    bigint  NOT NULL CHECK (shop_id > 0),
    actor      uuid    NOT NULL REFERENCES vault.actor (actor),
    reason     text    NOT NULL,
    sealed     bytea   NOT NULL,
    fields     text[]  NOT NULL,
    about      text    NOT NULL DEFAULT '',
    persons    integer NOT NULL CHECK (persons > 0),
    places     integer NOT NULL CHECK (places >= persons),
    second     boolean NOT NULL,
    state      text    NOT NULL CHECK (state IN ('asked', 'ready', 'declined', 'cancelled')),
    told       integer NOT NULL DEFAULT 0,
    runs       integer NOT NULL DEFAULT 0,
    asked_at   bigint  NOT NULL,
    expires_at bigint  NOT NULL,
    decided_by uuid    REFERENCES vault.actor (actor),
    decided_at bigint
);
CREATE INDEX transfer_shop_v1 ON vault.transfer (shop_id, asked_at);

-- Who stands at which place of an export, canaries among the others. Gone once the export is over.
CREATE TABLE vault.transfer_place (
    transfer text    NOT NULL REFERENCES vault.transfer (transfer),
    place    integer NOT NULL CHECK (place >= 0),
    person   uuid    NOT NULL,
    PRIMARY KEY (transfer, place)
);
-- Which export a canary was made for. These stay: a list may turn up after years.
CREATE TABLE vault.canary (
    shop_id  bigint NOT NULL,
    person   uuid   NOT NULL,
    transfer text   NOT NULL REFERENCES vault.transfer (transfer),
    PRIMARY KEY (shop_id, person),
    FOREIGN KEY (shop_id, person) REFERENCES vault.person (shop_id, person)
);
CREATE INDEX canary_transfer_v1 ON vault.canary (transfer);

GRANT SELECT, INSERT, UPDATE ON vault.transfer TO noren_vault;
GRANT SELECT, INSERT ON vault.canary TO noren_vault;
GRANT SELECT, INSERT, DELETE ON vault.transfer_place TO noren_vault;
