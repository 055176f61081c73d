-- What is held and what is frozen for an incident. Instants are milliseconds since the epoch, UTC.

-- While a hold lasts nobody in it is erased: a whole shop, or the persons named. `look_at`: when somebody looks at it
-- again; it ends by a deed alone.
CREATE TABLE vault.legal_hold (
    hold     text    NOT NULL PRIMARY KEY CHECK (hold ~ '^[0-9a-f]{16}$'),
    incident text    NOT NULL REFERENCES vault.incident (incident),
    shop_id  bigint  NOT NULL,
    whole    boolean NOT NULL,
    since    bigint  NOT NULL,
    look_at  bigint  NOT NULL,
    ended_at bigint
);
CREATE INDEX legal_hold_lasting_v1 ON vault.legal_hold (shop_id) WHERE ended_at IS NULL;
CREATE TABLE vault.legal_hold_person (
    hold   text NOT NULL REFERENCES vault.legal_hold (hold),
    person uuid NOT NULL,
    PRIMARY KEY (hold, person)
);
CREATE INDEX legal_hold_person_v1 ON vault.legal_hold_person (person);
-- Who was to be erased meanwhile, why, and by whose word: done once nothing holds them any more.
CREATE TABLE vault.erasure_waiting (
    shop_id    bigint NOT NULL,
    person     uuid   NOT NULL,
    reason     text   NOT NULL,
    by         text   NOT NULL,
    credential text   NOT NULL,
    session    text   NOT NULL,
    asked_at   bigint NOT NULL,
    done_at    bigint,
    PRIMARY KEY (shop_id, person)
);
CREATE INDEX erasure_waiting_open_v1 ON vault.erasure_waiting (asked_at) WHERE done_at IS NULL;

-- While one lasts no list of customers leaves the shop; shop 0: no shop. `by`: who froze it, and so does not thaw it.
CREATE TABLE vault.export_freeze (
    frozen    text   NOT NULL PRIMARY KEY CHECK (frozen ~ '^[0-9a-f]{16}$'),
    incident  text   NOT NULL REFERENCES vault.incident (incident),
    shop_id   bigint NOT NULL,
    by        text   NOT NULL,
    since     bigint NOT NULL,
    thawed_by text,
    thawed_at bigint,
    CHECK (thawed_by <> by OR by = 'admin'),
    CHECK ((thawed_by IS NULL) = (thawed_at IS NULL))
);
CREATE INDEX export_freeze_lasting_v1 ON vault.export_freeze (shop_id) WHERE thawed_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON vault.legal_hold, vault.legal_hold_person, vault.erasure_waiting, vault.export_freeze
    TO noren_vault;
