-- What each person is told of the looks at her own data. Instants are milliseconds since the epoch, UTC.

-- Whether a shop names the staff who looked; no row: by role only.
CREATE TABLE vault.naming (
    shop_id    bigint  NOT NULL PRIMARY KEY CHECK (shop_id > 0),
    named      boolean NOT NULL,
    changed_at bigint  NOT NULL
);
-- Investigations: while one is open, looks for the purpose `incident` are told later. Shop 0: of all shops.
CREATE TABLE vault.investigation (
    name      text   NOT NULL PRIMARY KEY,
    shop_id   bigint NOT NULL CHECK (shop_id >= 0),
    opened_at bigint NOT NULL,
    closed_at bigint
);
-- The last time of what is told in general words only.
CREATE INDEX ledger_untold_v1 ON vault.ledger_entry (kind, shop_id, at) WHERE kind IN ('search_build', 'backup');
GRANT SELECT, INSERT, UPDATE ON vault.naming, vault.investigation TO noren_vault;
