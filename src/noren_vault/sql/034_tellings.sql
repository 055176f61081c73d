-- Telling people after a leak: who was in the scope, and how each of them was told. Ids, field names and instants; the
-- question and the words lie sealed. Instants are milliseconds since the epoch, UTC.

-- `sealed`: the question, the words and the names of shops. `hash` is of those and of everybody in it, `size` and
-- `root` the head as of which the scope was asked. `scope` is how many records that answer names.
CREATE TABLE vault.telling (
    telling   text    NOT NULL PRIMARY KEY CHECK (telling ~ '^[0-9a-f]{16}$'),
    incident  text    NOT NULL REFERENCES vault.incident (incident),
    notice    text    NOT NULL CHECK (notice ~ '^[a-z0-9][a-z0-9-]{2,39}$'),
    state     text    NOT NULL CHECK (state IN ('made', 'withdrawn', 'agreed')),
    hash      bytea   NOT NULL CHECK (length(hash) = 32),
    sealed    bytea   NOT NULL,
    size      bigint  NOT NULL,
    root      bytea   NOT NULL CHECK (length(root) = 32),
    scope     integer NOT NULL,
    nameless  integer NOT NULL,
    a_minute  integer NOT NULL CHECK (a_minute BETWEEN 1 AND 6000),
    by        text    NOT NULL,
    actor     uuid    REFERENCES vault.actor (actor),
    made_at   bigint  NOT NULL,
    decider   text,
    alone     boolean NOT NULL DEFAULT false,
    decided_at bigint,
    entry     bigint,
    stopped_at bigint,
    CHECK ((state = 'agreed') = (entry IS NOT NULL))
);
CREATE INDEX telling_incident_v1 ON vault.telling (incident);

-- Who is in it. `waiting` is tried from `due_at` on; `told`, `failed` and `unknown` are what the courier said. The
-- others are told by no mail, and why: `joined` is told as `into_person`. `instead`: is in it only for those.
-- `code_hash`: of the newest code that was mailed. Without foreign keys: a hundred thousand rows come at once, and
-- neither a telling nor a person is ever deleted.
CREATE TABLE vault.told (
    telling     text     NOT NULL,
    shop_id     bigint   NOT NULL,
    person      uuid     NOT NULL,
    kind        text     NOT NULL CHECK (kind IN ('customer', 'member')),
    state       text     NOT NULL CHECK (state IN
                    ('waiting', 'told', 'failed', 'unknown', 'erased', 'canary', 'joined', 'no_mail')),
    into_person uuid,
    instead     boolean  NOT NULL DEFAULT false,
    fields      text[]   NOT NULL,
    ways        text[]   NOT NULL,
    since       bigint   NOT NULL,
    until       bigint   NOT NULL,
    surely      boolean  NOT NULL,
    language    text     NOT NULL DEFAULT '' CHECK (language IN ('', 'ja', 'easy', 'en')),
    tries       smallint NOT NULL DEFAULT 0,
    due_at      bigint   NOT NULL,
    changed_at  bigint   NOT NULL,
    code_hash   bytea    UNIQUE CHECK (length(code_hash) = 32),
    PRIMARY KEY (telling, shop_id, person)
);
CREATE INDEX told_due_v1 ON vault.told (telling, due_at) WHERE state = 'waiting';

GRANT SELECT, INSERT, UPDATE ON vault.telling, vault.told TO noren_vault;
