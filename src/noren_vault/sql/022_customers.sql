-- Customers' accounts. Instants are milliseconds since the epoch, UTC.

-- One mail signs in to one account of each kind: who works for a shop may be its customer, too.
ALTER TABLE keystore.signin_mail
    ADD COLUMN kind text NOT NULL DEFAULT 'member' CHECK (kind IN ('member', 'customer'));
DROP INDEX keystore.signin_mail_token_v1;
CREATE UNIQUE INDEX signin_mail_token_v2 ON keystore.signin_mail (shop_id, kind, token);

-- What an account has said of a record that is not its own person's. `held`: it stays with the account whatever
-- becomes of the address by which it was found; not held: the account let it go, and never sees it again.
CREATE TABLE vault.account_record (
    shop_id bigint  NOT NULL,
    person  uuid    NOT NULL,
    record  uuid    NOT NULL,
    held    boolean NOT NULL,
    at      bigint  NOT NULL,
    PRIMARY KEY (shop_id, person, record),
    FOREIGN KEY (shop_id, person) REFERENCES vault.person (shop_id, person),
    FOREIGN KEY (shop_id, record) REFERENCES vault.person (shop_id, person),
    CHECK (person <> record)
);
CREATE INDEX account_record_of_v1 ON vault.account_record (shop_id, record);

GRANT SELECT, INSERT, UPDATE, DELETE ON vault.account_record TO noren_vault;
-- An account that is ended takes its passkeys along: that they were there is in the ledger.
GRANT DELETE ON vault.passkey TO noren_vault;
