-- Forced resets: passwords of many accounts that sign in no more until others are set. Instants are milliseconds
-- since the epoch, UTC.

-- `stopped` holds the mails back, and nothing else: the accounts stay as they are.
CREATE TABLE vault.forced_reset (
    reset      text    NOT NULL PRIMARY KEY,
    whose      text    NOT NULL,
    a_minute   integer NOT NULL CHECK (a_minute BETWEEN 1 AND 6000),
    ended      integer NOT NULL,
    asked_at   bigint  NOT NULL,
    stopped_at bigint
);

-- Who is to be told. `waiting` is tried from `due_at` on; `told`, `failed` and `unknown` are what the courier said,
-- `spared` has set another password before the mail was due. Without foreign keys: a hundred thousand rows come in
-- one statement, and neither a reset nor an actor is ever deleted.
CREATE TABLE vault.forced_account (
    reset   text    NOT NULL,
    actor   uuid    NOT NULL,
    state   text    NOT NULL CHECK (state IN ('waiting', 'told', 'failed', 'unknown', 'spared')),
    tries   integer NOT NULL DEFAULT 0,
    due_at  bigint  NOT NULL,
    PRIMARY KEY (reset, actor)
);
CREATE INDEX forced_account_due_v1 ON vault.forced_account (due_at) WHERE state = 'waiting';

GRANT SELECT, INSERT, UPDATE ON vault.forced_reset, vault.forced_account TO noren_vault;
