-- Whom an import brought into a shop, so that all of it can be undone. Written before the person is: who was cut off
-- in between is nobody. Who was erased since stays here as an id that means nothing.
CREATE TABLE vault.transfer_brought (
    transfer text NOT NULL REFERENCES vault.transfer (transfer),
    person   uuid NOT NULL,
    PRIMARY KEY (transfer, person)
);
GRANT SELECT, INSERT ON vault.transfer_brought TO noren_vault;
