-- Rows of an import that was agreed to, sealed, some hundred in one: left here by a page, so that they come in step
-- by step, whatever becomes of the page. Each goes when its rows are in, and all of them when the import is over.
CREATE TABLE vault.transfer_rows (
    transfer text    NOT NULL REFERENCES vault.transfer (transfer),
    place    integer NOT NULL CHECK (place >= 0),
    rows     integer NOT NULL CHECK (rows > 0),
    sealed   bytea   NOT NULL,
    PRIMARY KEY (transfer, place)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.transfer_rows TO noren_vault;
