-- Notices of the public: who asked to publish a text, who agreed, and who takes them by mail. The text itself lies on
-- the app side; here is its hash. Instants are milliseconds since the epoch, UTC.

-- One asking for one text. `version` 2 and more correct the same update. `alone`: without a second operator.
CREATE TABLE vault.notice_ask (
    ask        text    NOT NULL PRIMARY KEY CHECK (ask ~ '^[0-9a-f]{16}$'),
    notice     text    NOT NULL CHECK (notice ~ '^[a-z0-9][a-z0-9-]{2,39}$'),
    number     integer NOT NULL CHECK (number > 0),
    version    integer NOT NULL CHECK (version > 0),
    hash       bytea   NOT NULL CHECK (length(hash) = 32),
    actor      uuid    NOT NULL REFERENCES vault.actor (actor),
    alone      boolean NOT NULL,
    state      text    NOT NULL CHECK (state IN ('asked', 'declined', 'withdrawn', 'published')),
    asked_at   bigint  NOT NULL,
    expires_at bigint  NOT NULL,
    decided_by uuid    REFERENCES vault.actor (actor),
    decided_at bigint,
    entry      bigint,
    CHECK (decided_by <> actor OR state = 'withdrawn'),
    CHECK ((state = 'published') = (entry IS NOT NULL))
);
CREATE INDEX notice_ask_asked_v1 ON vault.notice_ask (asked_at);
-- A version is one text for good.
CREATE UNIQUE INDEX notice_ask_published_v1 ON vault.notice_ask (notice, number, version) WHERE state = 'published';
CREATE INDEX ledger_entry_notice_v1 ON vault.ledger_entry (entry) WHERE kind = 'notice';

-- Which operators and auditors are to be told by mail, and of what: `alone:ASK`, or `late:NOTICE/NUMBER`.
CREATE TABLE vault.notice_bell (
    about   text   NOT NULL,
    person  uuid   NOT NULL,
    told_at bigint,
    PRIMARY KEY (about, person)
);
CREATE INDEX notice_bell_open_v1 ON vault.notice_bell (about) WHERE told_at IS NULL;

-- Who takes notices by mail: persons of no shop, and nobody's customers. `sealed` is the secret of their link,
-- `token_hash` what it is known by. `notice` is the one that is followed, empty for all.
ALTER TABLE vault.person DROP CONSTRAINT person_kind_check;
ALTER TABLE vault.person ADD CONSTRAINT person_kind_check
    CHECK (kind IN ('customer', 'member', 'canary', 'reader')),
    ADD CONSTRAINT person_reader_v1 CHECK (kind <> 'reader' OR shop_id = 0);
CREATE TABLE vault.reader (
    person     uuid   NOT NULL PRIMARY KEY,
    token_hash bytea  NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    sealed     bytea  NOT NULL,
    locale     text   NOT NULL CHECK (locale IN ('ja', 'en')),
    notice     text   NOT NULL DEFAULT '',
    asked_at   bigint NOT NULL,
    since      bigint
);
GRANT SELECT, INSERT, UPDATE ON vault.notice_ask, vault.notice_bell TO noren_vault;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.reader TO noren_vault;
