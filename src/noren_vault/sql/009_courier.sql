-- Messages to persons: retries, what came back, and how an address stands. Ids, codes and instants only.

-- `deferred` was surely not taken and may be tried again, `bounced` was taken and came back. `token` is the
-- opaque part of the return address: who knows it can say of this one message that it came back, and no more.
-- `version` is the address's: what comes back says nothing about the one that was written since.
ALTER TABLE vault.message DROP CONSTRAINT message_state_check;
ALTER TABLE vault.message
    ADD CONSTRAINT message_state_check CHECK
        (state IN ('queued', 'sending', 'sent', 'unknown', 'deferred', 'failed', 'bounced')),
    ADD COLUMN channel text    NOT NULL,
    ADD COLUMN token   text    NOT NULL UNIQUE CHECK (token ~ '^[0-9a-f]{32}$'),
    ADD COLUMN version integer NOT NULL DEFAULT 0,
    ADD COLUMN left_at bigint;
CREATE INDEX message_person_v1 ON vault.message (shop_id, person, changed_at);

-- How a person's address stands, as long as it is this version of it. No row: `unproved`.
CREATE TABLE vault.address (
    shop_id    bigint  NOT NULL,
    person     uuid    NOT NULL,
    channel    text    NOT NULL,
    version    integer NOT NULL CHECK (version > 0),
    state      text    NOT NULL CHECK (state IN ('good', 'bounced', 'refused', 'unproved')),
    reason     text    NOT NULL,
    changed_at bigint  NOT NULL,
    PRIMARY KEY (shop_id, person, channel),
    FOREIGN KEY (shop_id, person) REFERENCES vault.person (shop_id, person)
);
GRANT SELECT, INSERT, UPDATE ON vault.address TO noren_vault;
