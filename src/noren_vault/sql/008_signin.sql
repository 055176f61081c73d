-- Sign-in: mails, passwords, second factors. All of it lies under keys of one kind, the peppers. `pepper` is the
-- key that a row is sealed with, and the check holds the column to what the ciphertext itself says; what lies
-- under a pepper, or has it among its layers, keeps the foreign keys from letting it be retired.
CREATE TABLE vault.pepper (
    id      bytea   NOT NULL PRIMARY KEY CHECK (length(id) = 4),
    number  integer NOT NULL UNIQUE,
    made_at bigint  NOT NULL
);

-- By which mail an account is found: a keyed hash of it at its full length, and the mail itself, sealed, so that
-- another pepper's hash can be computed. One mail signs in to one account of a shop. It lies in the keystore, whose
-- copies in backups end on a day: a pepper does not, and a mail under it would outlive its person's erasure.
CREATE TABLE keystore.signin_mail (
    actor   uuid   NOT NULL PRIMARY KEY REFERENCES vault.actor (actor),
    shop_id bigint NOT NULL CHECK (shop_id > 0),
    token   bytea  NOT NULL CHECK (length(token) = 32),
    sealed  bytea  NOT NULL,
    pepper  bytea  NOT NULL CONSTRAINT signin_mail_pepper_v1 REFERENCES vault.pepper (id),
    CONSTRAINT signin_mail_sealed_v1 CHECK (substring(sealed FROM 2 FOR 4) = pepper)
);
CREATE UNIQUE INDEX signin_mail_token_v1 ON keystore.signin_mail (shop_id, token);

-- `sealed` holds the Argon2id hash under its layers of HMAC, `credential` is its name in the record. `alone`:
-- long enough to sign in without a second factor.
CREATE TABLE vault.password (
    actor      uuid    NOT NULL PRIMARY KEY REFERENCES vault.actor (actor),
    credential text    NOT NULL UNIQUE,
    scheme     text    NOT NULL CHECK (scheme = 'argon2id'),
    memory_kib integer NOT NULL,
    passes     integer NOT NULL,
    lanes      integer NOT NULL,
    salt       bytea   NOT NULL CHECK (length(salt) = 32),
    alone      boolean NOT NULL,
    sealed     bytea   NOT NULL,
    pepper     bytea   NOT NULL CONSTRAINT password_pepper_v1 REFERENCES vault.pepper (id),
    set_at     bigint  NOT NULL,
    CONSTRAINT password_sealed_v1 CHECK (substring(sealed FROM 2 FOR 4) = pepper)
);
-- The peppers of the layers, from the innermost (0) out.
CREATE TABLE vault.password_layer (
    actor  uuid     NOT NULL REFERENCES vault.password (actor) ON DELETE CASCADE,
    place  smallint NOT NULL CHECK (place >= 0),
    pepper bytea    NOT NULL CONSTRAINT password_layer_pepper_v1 REFERENCES vault.pepper (id),
    PRIMARY KEY (actor, place),
    UNIQUE (actor, pepper)
);

-- Seeds of one-time codes, sealed. `begun`: no code of it was seen yet. `last_step` is the newest step of which a
-- code was used; `failures` counts wrong codes in a row.
CREATE TABLE vault.totp (
    actor     uuid    NOT NULL REFERENCES vault.actor (actor),
    state     text    NOT NULL CHECK (state IN ('begun', 'on')),  -- begun -> on
    sealed    bytea   NOT NULL,
    pepper    bytea   NOT NULL CONSTRAINT totp_pepper_v1 REFERENCES vault.pepper (id),
    last_step bigint  NOT NULL DEFAULT 0,
    failures  integer NOT NULL DEFAULT 0,
    made_at   bigint  NOT NULL,
    PRIMARY KEY (actor, state),
    CONSTRAINT totp_sealed_v1 CHECK (substring(sealed FROM 2 FOR 4) = pepper)
);

-- Recovery codes: each set has a key of its own, sealed, under which its codes are hashed.
CREATE TABLE vault.recovery (
    actor   uuid   NOT NULL PRIMARY KEY REFERENCES vault.actor (actor),
    sealed  bytea  NOT NULL,
    pepper  bytea  NOT NULL CONSTRAINT recovery_pepper_v1 REFERENCES vault.pepper (id),
    made_at bigint NOT NULL,
    CONSTRAINT recovery_sealed_v1 CHECK (substring(sealed FROM 2 FOR 4) = pepper)
);
CREATE TABLE vault.recovery_code (
    actor   uuid   NOT NULL REFERENCES vault.recovery (actor) ON DELETE CASCADE,
    hash    bytea  NOT NULL CHECK (length(hash) = 32),
    used_at bigint,
    PRIMARY KEY (actor, hash)
);

ALTER TABLE vault.rotation DROP CONSTRAINT rotation_kind_check;
ALTER TABLE vault.rotation ADD CONSTRAINT rotation_kind_check
    CHECK (kind IN ('epoch', 'data', 'index', 'pepper'));
ALTER TABLE vault.retired_key DROP CONSTRAINT retired_key_kind_check;
ALTER TABLE vault.retired_key ADD CONSTRAINT retired_key_kind_check CHECK (kind IN ('epoch', 'index', 'pepper'));

GRANT SELECT, INSERT, DELETE ON vault.pepper TO noren_vault;
GRANT SELECT, INSERT, UPDATE, DELETE ON keystore.signin_mail, vault.password, vault.password_layer, vault.totp,
    vault.recovery, vault.recovery_code TO noren_vault;
