-- What everybody sees and changes of how she signs in. Instants are milliseconds since the epoch, UTC.

-- How a passkey is called by whose it is, and on which device it was made: sealed. A passkey without a row was
-- made before there were names.
CREATE TABLE vault.passkey_word (
    name   text  NOT NULL PRIMARY KEY REFERENCES vault.passkey (name) ON DELETE CASCADE,
    actor  uuid  NOT NULL REFERENCES vault.actor (actor),
    sealed bytea NOT NULL
);
CREATE INDEX passkey_word_actor_v1 ON vault.passkey_word (actor);

-- When, and by which passkey or password, the holder of a grant last showed again who she is. `misses` counts
-- wrong passwords given in her name: at the fifth the grant ends.
ALTER TABLE vault.access_grant
    ADD COLUMN confirmed_at bigint,
    ADD COLUMN confirmed_by text    NOT NULL DEFAULT '',
    ADD COLUMN misses       integer NOT NULL DEFAULT 0;
CREATE INDEX access_grant_actor_v1 ON vault.access_grant (actor, expires_at);

-- Whose password is to be set anew before it opens anything.
CREATE TABLE IF NOT EXISTS vault.account_state (
    actor            uuid   NOT NULL PRIMARY KEY REFERENCES vault.actor (actor),
    must_reset_since bigint
);

-- A removed passkey is gone (001_base kept them all): no query can take it for one that opens something. The record
-- still says whose it was, and what it did.
GRANT DELETE ON vault.passkey TO noren_vault;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.passkey_word, vault.account_state TO noren_vault;
