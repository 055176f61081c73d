-- Powers that are lent, auditors, and what was done in an emergency. Instants are milliseconds since the epoch, UTC.

-- Auditors belong to the platform, as operators do, until a day that is set when they are invited.
ALTER TABLE vault.membership DROP CONSTRAINT membership_role_check;
ALTER TABLE vault.membership DROP CONSTRAINT membership_check;
ALTER TABLE vault.membership
    ADD COLUMN ends_at bigint,
    ADD CONSTRAINT membership_role_check CHECK
        (role IN ('owner', 'manager', 'staff', 'reception', 'accountant', 'operator', 'auditor')),
    ADD CONSTRAINT membership_platform_v1 CHECK ((role IN ('operator', 'auditor')) = (shop_id = 0)),
    ADD CONSTRAINT membership_ends_v1 CHECK ((role = 'auditor') = (ends_at IS NOT NULL));

-- What an operator asked for. A power runs for its minutes; the last three are done once, when they are agreed to.
-- `sealed` holds the reason's words, and of an invitation name and mail. `about`: the handle it is about.
-- `glass`: taken without a second operator. asked -> running -> ended | over, or done; or declined, withdrawn.
CREATE TABLE vault.power (
    power      text    NOT NULL PRIMARY KEY CHECK (power ~ '^[0-9a-f]{16}$'),
    what       text    NOT NULL CHECK (what IN ('support_shop', 'read_incident', 'read_ledger_entries', 'rotate_keys',
        'end_grants', 'invite_operator', 'invite_auditor', 'end_member')),
    shop_id    bigint  NOT NULL CHECK ((what IN ('support_shop', 'read_incident')) = (shop_id > 0)),
    actor      uuid    NOT NULL REFERENCES vault.actor (actor),
    sealed     bytea   NOT NULL,
    about      text    NOT NULL DEFAULT '',
    minutes    integer NOT NULL CHECK (minutes BETWEEN 0 AND 60),
    days       integer NOT NULL DEFAULT 0 CHECK (days BETWEEN 0 AND 90),
    glass      boolean NOT NULL,
    state      text    NOT NULL CHECK
        (state IN ('asked', 'declined', 'withdrawn', 'running', 'ended', 'over', 'done')),
    asked_at   bigint  NOT NULL,
    expires_at bigint  NOT NULL,
    decided_by uuid    REFERENCES vault.actor (actor),
    decided_at bigint,
    until      bigint,
    entered_at bigint,
    ended_by   uuid    REFERENCES vault.actor (actor),
    ended_at   bigint,
    CHECK (decided_by <> actor),
    CHECK (state <> 'running' OR until IS NOT NULL)
);
CREATE INDEX power_asked_v1 ON vault.power (asked_at);
-- An operator is in one shop at a time.
CREATE UNIQUE INDEX power_one_shop_v1 ON vault.power (actor) WHERE state = 'running' AND shop_id > 0;

-- What another operator says of what was taken without a second one. `sealed` are the words.
CREATE TABLE vault.power_review (
    power  text   NOT NULL PRIMARY KEY REFERENCES vault.power (power),
    sealed bytea  NOT NULL,
    actor  uuid   NOT NULL REFERENCES vault.actor (actor),
    at     bigint NOT NULL
);
-- Who is to be told by mail; stored with what makes it necessary, `told_at` when it was sent, or cannot be.
CREATE TABLE vault.power_bell (
    power   text   NOT NULL REFERENCES vault.power (power),
    shop_id bigint NOT NULL,
    person  uuid   NOT NULL,
    told_at bigint,
    PRIMARY KEY (power, shop_id, person)
);
CREATE INDEX power_bell_open_v1 ON vault.power_bell (power) WHERE told_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON vault.power, vault.power_review, vault.power_bell TO noren_vault;
