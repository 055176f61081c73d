-- The inquiry desk: what somebody asked, what was answered, and what she pasted that must be made anew. The words and
-- files lie sealed; who asks is a person of no shop with at most one field, the mail. Instants are milliseconds since
-- the epoch, UTC.
ALTER TABLE vault.person DROP CONSTRAINT person_kind_check;
ALTER TABLE vault.person ADD CONSTRAINT person_kind_check
    CHECK (kind IN ('customer', 'member', 'canary', 'reader', 'reporter', 'asker')),
    ADD CONSTRAINT person_asker_v1 CHECK (kind <> 'asker' OR shop_id = 0);
-- `generation`: of the link that opens it, which is derived and stored nowhere. `holder`: who answers it, alone.
-- `promised_at`: by when an answer was said to come; `answered_at`: when the first one did. `notice`: about which.
CREATE TABLE vault.inquiry (
    inquiry     text    NOT NULL PRIMARY KEY CHECK (inquiry ~ '^[0-9a-f]{16}$'),
    person      uuid    NOT NULL UNIQUE,
    about       text    NOT NULL CHECK (about ~ '^[a-z]{1,20}$'),
    notice      text    NOT NULL DEFAULT '' CHECK (notice ~ '^([a-z0-9][a-z0-9-]{2,39})?$'),
    locale      text    NOT NULL CHECK (locale IN ('ja', 'en', 'ja-easy')),
    mailed      boolean NOT NULL,
    state       text    NOT NULL CHECK (state IN ('waiting', 'answered', 'closed')),
    generation  integer NOT NULL DEFAULT 1 CHECK (generation > 0),
    holder      uuid    REFERENCES vault.actor (actor),
    incident    text    REFERENCES vault.incident (incident),
    lines       integer NOT NULL,
    asked_at    bigint  NOT NULL,
    promised_at bigint  NOT NULL,
    changed_at  bigint  NOT NULL,
    answered_at bigint
);
CREATE INDEX inquiry_state_v1 ON vault.inquiry (state, promised_at);
CREATE INDEX inquiry_answered_v1 ON vault.inquiry (answered_at) WHERE answered_at IS NOT NULL;
-- `by`: a handle, or empty for who asked. `sealed`: the words; of a file its name and its text.
CREATE TABLE vault.inquiry_line (
    inquiry text    NOT NULL REFERENCES vault.inquiry (inquiry),
    number  integer NOT NULL CHECK (number > 0),
    at      bigint  NOT NULL,
    by      text    NOT NULL,
    kind    text    NOT NULL CHECK (kind IN ('words', 'file', 'answer', 'note')),
    sealed  bytea   NOT NULL,
    PRIMARY KEY (inquiry, number)
);
-- The key of the links, sealed: there is one.
CREATE TABLE vault.inquiry_key (
    name   text  NOT NULL PRIMARY KEY CHECK (name = 'links'),
    sealed bytea NOT NULL
);
-- A password or a key that stood in an inquiry and was destroyed before it came here: somebody makes a new one.
CREATE TABLE vault.pasted_secret (
    secret  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    inquiry text   NOT NULL REFERENCES vault.inquiry (inquiry),
    kind    text   NOT NULL CHECK (kind IN ('password', 'key', 'private-key', 'database-address')),
    at      bigint NOT NULL,
    done_by uuid   REFERENCES vault.actor (actor),
    done_at bigint,
    CHECK ((done_by IS NULL) = (done_at IS NULL))
);
CREATE INDEX pasted_secret_open_v1 ON vault.pasted_secret (at) WHERE done_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON vault.inquiry, vault.inquiry_key, vault.pasted_secret TO noren_vault;
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.inquiry_line TO noren_vault;
