-- What the question after a leak needs beside the ledger's own words. Derived rows follow the files, as before.

-- By which process of the app side an entry came.
ALTER TABLE vault.ledger_entry ADD COLUMN process text NOT NULL DEFAULT '';
-- By how much the clock stood behind the entry before: the entry may be that much older than it says.
ALTER TABLE vault.ledger_entry ADD COLUMN skew bigint NOT NULL DEFAULT 0;
CREATE INDEX ledger_skew_v1 ON vault.ledger_entry (at) WHERE skew > 0;
CREATE INDEX ledger_process_v1 ON vault.ledger_entry (process, at) WHERE process <> '';
-- Time never falls from entry to entry, so a block range says nearly as much as a tree, for a thousandth.
CREATE INDEX ledger_at_v1 ON vault.ledger_entry USING brin (at) WITH (pages_per_range = 16);
-- What is named by its own id: a backup, an export.
CREATE INDEX ledger_ref_v1 ON vault.ledger_entry (ref) WHERE kind IN ('backup', 'export');
-- Who had rows at a time is told by what made, changed and erased them.
CREATE INDEX ledger_stored_v1 ON vault.ledger_entry (entry)
    WHERE kind IN ('put', 'import', 'member', 'update', 'erase');
-- What the record says of the key side is little among much.
CREATE INDEX ledger_keyside_v1 ON vault.ledger_entry (at)
    WHERE kind NOT IN ('intent', 'outcome', 'put', 'update', 'erase', 'search', 'signin', 'signout', 'send', 'import');

-- A session may be opened from several places: each sign-in keeps its own row. `sealed` holds the network
-- address and the device.
ALTER TABLE vault.session DROP CONSTRAINT session_pkey;
CREATE INDEX session_v1 ON vault.session (session);
CREATE INDEX session_opened_v1 ON vault.session (opened_at);
