-- The vault's tables. PostgreSQL 15, no extension. Run as noren_vault_owner, which owns them all; the process
-- logs in as noren_vault and has the grants at the end. Instants are milliseconds since the epoch, UTC.

-- Persons. `key_hash` is a keyed hash of the caller's idempotency key, `content` one of what a provisional put
-- brought. An erased person's row stays: its id must never come to mean somebody else.
CREATE TABLE vault.person (
    shop_id  bigint  NOT NULL CHECK (shop_id >= 0),
    person   uuid    NOT NULL,
    kind     text    NOT NULL CHECK (kind IN ('customer', 'member')),
    state    text    NOT NULL CHECK (state IN ('provisional', 'kept', 'erased')),
    key_hash bytea   CHECK (length(key_hash) = 32),
    content  bytea   CHECK (length(content) = 32),
    made_at  bigint  NOT NULL,
    PRIMARY KEY (shop_id, person)
);
CREATE UNIQUE INDEX person_key_v1 ON vault.person (shop_id, key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX person_provisional_v1 ON vault.person (made_at) WHERE state = 'provisional';

-- Sealed fields. `version` is repeated in keystore.person_key, bound there to the wrapped key.
CREATE TABLE vault.field (
    shop_id    bigint  NOT NULL,
    person     uuid    NOT NULL,
    field      text    NOT NULL,
    version    integer NOT NULL CHECK (version > 0),
    sealed     bytea   NOT NULL,
    written_at bigint  NOT NULL,
    PRIMARY KEY (shop_id, person, field),
    FOREIGN KEY (shop_id, person) REFERENCES vault.person (shop_id, person)
);

-- The blind index: HMAC-SHA256 at its full length.
CREATE TABLE vault.blind (
    shop_id bigint NOT NULL,
    token   bytea  NOT NULL CHECK (length(token) = 32),
    person  uuid   NOT NULL,
    field   text   NOT NULL,
    PRIMARY KEY (shop_id, token, person, field)
);
CREATE INDEX blind_person_v1 ON vault.blind (shop_id, person);

-- Wrapped data keys, in a schema of their own: dumped and kept apart from the rest.
CREATE TABLE keystore.person_key (
    shop_id  bigint NOT NULL,
    person   uuid   NOT NULL,
    epoch    bytea  NOT NULL CHECK (length(epoch) = 4),
    wrapped  bytea  NOT NULL,
    versions jsonb  NOT NULL,
    PRIMARY KEY (shop_id, person)
);

-- Who works where. The name and mail of a member are a person's sealed fields.
CREATE TABLE vault.shop (
    shop_id    bigint NOT NULL PRIMARY KEY CHECK (shop_id > 0),
    slug       text   NOT NULL UNIQUE,
    members    bytea  NOT NULL CHECK (length(members) = 32),
    founded_at bigint NOT NULL
);
CREATE TABLE vault.actor (
    actor   uuid   NOT NULL PRIMARY KEY,
    handle  text   NOT NULL UNIQUE,
    shop_id bigint NOT NULL,
    person  uuid,
    made_at bigint NOT NULL
);
CREATE TABLE vault.membership (
    shop_id  bigint NOT NULL,
    actor    uuid   NOT NULL REFERENCES vault.actor (actor),
    role     text   NOT NULL CHECK (role IN ('owner', 'manager', 'staff', 'operator')),
    staff    text,
    since    bigint NOT NULL,
    ended_at bigint,
    PRIMARY KEY (shop_id, actor),
    CHECK ((role = 'operator') = (shop_id = 0))
);
CREATE INDEX membership_actor_v1 ON vault.membership (actor);
CREATE TABLE vault.invite (
    token_hash bytea  NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    actor      uuid   NOT NULL REFERENCES vault.actor (actor),
    made_at    bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at    bigint
);
CREATE INDEX invite_actor_v1 ON vault.invite (actor);
CREATE TABLE vault.passkey (
    credential_id bytea   NOT NULL PRIMARY KEY,
    name          text    NOT NULL UNIQUE,
    actor         uuid    NOT NULL REFERENCES vault.actor (actor),
    public_key    bytea   NOT NULL,
    sign_count    bigint  NOT NULL,
    backed_up     boolean NOT NULL,
    added_at      bigint  NOT NULL,
    used_at       bigint,
    flagged_at    bigint
);
CREATE INDEX passkey_actor_v1 ON vault.passkey (actor);
CREATE TABLE vault.access_grant (
    grant_id    text   NOT NULL PRIMARY KEY,
    secret_hash bytea  NOT NULL CHECK (length(secret_hash) = 32),
    shop_id     bigint NOT NULL,
    actor       uuid   NOT NULL REFERENCES vault.actor (actor),
    credential  text   NOT NULL,
    session     text   NOT NULL,
    issued_at   bigint NOT NULL,
    expires_at  bigint NOT NULL,
    seen_at     bigint NOT NULL,
    revoked_at  bigint
);
-- session -> network address, sealed.
CREATE TABLE vault.session (
    session   text   NOT NULL PRIMARY KEY,
    sealed    bytea  NOT NULL,
    opened_at bigint NOT NULL
);

-- Mail: one row a message key. `queued` was not handed to a server; `sending` may have been.
CREATE TABLE vault.message (
    shop_id     bigint NOT NULL,
    message_key text   NOT NULL,
    person      uuid   NOT NULL,
    message_id  text   NOT NULL,
    state       text   NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'unknown', 'failed')),
    reason      text   NOT NULL DEFAULT '',
    changed_at  bigint NOT NULL,
    PRIMARY KEY (shop_id, message_key)
);
CREATE INDEX message_open_v1 ON vault.message (state) WHERE state IN ('queued', 'sending', 'unknown');

-- The ledger's newest signed head: what its files must at least hold at the next start.
CREATE TABLE vault.ledger_head (
    one    boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
    size   bigint  NOT NULL,
    root   bytea   NOT NULL CHECK (length(root) = 32),
    signed text    NOT NULL
);
-- The ledger's index: derived, follows the files, rebuilt from them at any time. `outcome` is the newest one.
CREATE TABLE vault.ledger_entry (
    entry      bigint NOT NULL PRIMARY KEY,
    at         bigint NOT NULL,
    kind       text   NOT NULL,
    actor      text   NOT NULL,
    credential text   NOT NULL,
    session    text   NOT NULL,
    shop_id    bigint NOT NULL,
    purpose    text   NOT NULL,
    fields     text[] NOT NULL,
    ref        text   NOT NULL,
    note       text   NOT NULL,
    outcome    text   NOT NULL DEFAULT '',
    leaf       bytea  NOT NULL CHECK (length(leaf) = 32)
);
CREATE INDEX ledger_actor_v1 ON vault.ledger_entry (actor, at);
CREATE INDEX ledger_credential_v1 ON vault.ledger_entry (credential, at);
CREATE INDEX ledger_session_v1 ON vault.ledger_entry (session, at);
CREATE INDEX ledger_shop_v1 ON vault.ledger_entry (shop_id, at);
CREATE TABLE vault.ledger_person (
    entry  bigint NOT NULL,
    person uuid   NOT NULL,
    PRIMARY KEY (entry, person)
);
CREATE INDEX ledger_person_v1 ON vault.ledger_person (person, entry);

-- What the process may do, and no more: nothing may be dropped or altered, and persons, actors, shops,
-- passkeys, grants, invitations and messages may not be deleted.
GRANT USAGE ON SCHEMA vault, keystore TO noren_vault;
GRANT SELECT, INSERT, UPDATE ON vault.person, vault.actor, vault.shop, vault.membership, vault.invite,
    vault.passkey, vault.access_grant, vault.session, vault.message, vault.ledger_head TO noren_vault;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.field, vault.blind, keystore.person_key TO noren_vault;
GRANT SELECT, INSERT, UPDATE, TRUNCATE ON vault.ledger_entry, vault.ledger_person TO noren_vault;
GRANT SELECT ON vault.migration TO noren_vault;
