-- Passwords as a person meets them: reset, forced reset, and shops that ask for passkeys. Instants are
-- milliseconds since the epoch, UTC.

-- Whose password is over although it is right: until another one is set, it signs nobody in. No row: all is well.
CREATE TABLE vault.account_state (
    actor            uuid   NOT NULL PRIMARY KEY REFERENCES vault.actor (actor),
    must_reset_since bigint
);

-- Links by which another password is set: the SHA-256 of 256 random bits. The rows of the last hour are also what
-- asking is paced by.
CREATE TABLE vault.reset (
    token_hash bytea  NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    actor      uuid   NOT NULL REFERENCES vault.actor (actor),
    made_at    bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at    bigint
);
CREATE INDEX reset_actor_v1 ON vault.reset (actor, made_at);
CREATE INDEX reset_made_v1 ON vault.reset (made_at);

-- By which mails an account signed in lately: who writes another one there cannot keep its owner from being told.
-- Sealed and bound as `signin_mail` is, and with it in the keystore, whose copies in backups end on a day.
CREATE TABLE keystore.former_mail (
    actor  uuid   NOT NULL REFERENCES vault.actor (actor),
    until  bigint NOT NULL,
    sealed bytea  NOT NULL,
    pepper bytea  NOT NULL CONSTRAINT former_mail_pepper_v1 REFERENCES vault.pepper (id),
    PRIMARY KEY (actor, sealed),
    CONSTRAINT former_mail_sealed_v1 CHECK (substring(sealed FROM 2 FOR 4) = pepper)
);

-- Whose passwords a shop does not take any more: these roles' people sign in with a passkey. No row: nobody's.
CREATE TABLE vault.passkey_rule (
    shop_id    bigint NOT NULL PRIMARY KEY CHECK (shop_id > 0),
    roles      text[] NOT NULL,
    changed_at bigint NOT NULL
);
-- An invitation of somebody who has a password already, to add a passkey to it; no password is set by it.
ALTER TABLE vault.invite ADD COLUMN passkey_only boolean NOT NULL DEFAULT false;

GRANT SELECT, INSERT, UPDATE, DELETE ON vault.account_state, vault.reset, keystore.former_mail, vault.passkey_rule
    TO noren_vault;
