-- Who may do what: more roles, customers' grants, what a shop has narrowed, proved addresses, allowances.
-- Instants are milliseconds since the epoch, UTC.

ALTER TABLE vault.membership DROP CONSTRAINT membership_role_check;
ALTER TABLE vault.membership ADD CONSTRAINT membership_role_check CHECK
    (role IN ('owner', 'manager', 'staff', 'reception', 'accountant', 'operator'));

-- A customer who proved her address is an actor, too: one for each person, without a membership.
ALTER TABLE vault.actor ADD COLUMN kind text NOT NULL DEFAULT 'member' CHECK (kind IN ('member', 'customer'));

-- What a shop's owner left of the platform's matrix for a role and a purpose; no row: all of it.
CREATE TABLE vault.narrowed (
    shop_id    bigint NOT NULL CHECK (shop_id > 0),
    role       text   NOT NULL,
    purpose    text   NOT NULL,
    fields     text[] NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (shop_id, role, purpose)
);

-- Whose mail address it is: `version` is the field's version that this is about. A row without `proved_at` is
-- an address that was changed and not proved. No row: the first, the person's own word.
CREATE TABLE vault.proof (
    shop_id   bigint  NOT NULL,
    person    uuid    NOT NULL,
    version   integer NOT NULL CHECK (version > 0),
    proved_at bigint,
    PRIMARY KEY (shop_id, person)
);
-- The newest code of a person. `since` and `codes` pace: how many in the hour that began then.
CREATE TABLE vault.code (
    shop_id    bigint  NOT NULL,
    person     uuid    NOT NULL,
    hash       bytea   NOT NULL CHECK (length(hash) = 32),
    version    integer NOT NULL,
    made_at    bigint  NOT NULL,
    expires_at bigint  NOT NULL,
    tries      integer NOT NULL DEFAULT 0,
    used_at    bigint,
    since      bigint  NOT NULL,
    codes      integer NOT NULL,
    PRIMARY KEY (shop_id, person)
);

-- What somebody asked a second person for. The words are sealed.
CREATE TABLE vault.allowance (
    request    text    NOT NULL PRIMARY KEY,
    shop_id    bigint  NOT NULL,
    actor      uuid    NOT NULL REFERENCES vault.actor (actor),
    sealed     bytea   NOT NULL,
    amount     integer NOT NULL CHECK (amount > 0),
    minutes    integer NOT NULL CHECK (minutes BETWEEN 1 AND 60),
    state      text    NOT NULL CHECK (state IN ('asked', 'approved', 'declined')),
    asked_at   bigint  NOT NULL,
    expires_at bigint  NOT NULL,
    decided_by uuid    REFERENCES vault.actor (actor),
    decided_at bigint
);
CREATE INDEX allowance_shop_v1 ON vault.allowance (shop_id, asked_at);

GRANT SELECT, INSERT, UPDATE ON vault.proof, vault.code, vault.allowance TO noren_vault;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.narrowed TO noren_vault;
