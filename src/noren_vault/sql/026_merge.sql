-- Records of one customer that a shop has joined. Instants are milliseconds since the epoch, UTC.

-- `person` went into `into_person`. `merged`: it can be undone until `until`, and the record is still there;
-- `undone`: it was; `settled`: it cannot be any more, and the record is erased. One row a record: its last.
-- An id and a code, never a value: what the other record had before is sealed with the one that went.
CREATE TABLE vault.merge (
    shop_id     bigint NOT NULL,
    person      uuid   NOT NULL,
    into_person uuid   NOT NULL,
    state       text   NOT NULL CHECK (state IN ('merged', 'undone', 'settled')),
    at          bigint NOT NULL,
    until       bigint NOT NULL,
    PRIMARY KEY (shop_id, person),
    FOREIGN KEY (shop_id, person) REFERENCES vault.person (shop_id, person),
    FOREIGN KEY (shop_id, into_person) REFERENCES vault.person (shop_id, person),
    CHECK (person <> into_person)
);
CREATE INDEX merge_into_v1 ON vault.merge (shop_id, into_person);
CREATE INDEX merge_person_v1 ON vault.merge (person);
CREATE INDEX merge_due_v1 ON vault.merge (until) WHERE state = 'merged';

GRANT SELECT, INSERT, UPDATE ON vault.merge TO noren_vault;
