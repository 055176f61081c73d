-- Who may do what, and one person for several shops. Instants are milliseconds since the epoch, UTC.

-- A named permission that a shop's owner has taken from a role; no row: the platform's list holds.
CREATE TABLE vault.taken (
    shop_id    bigint NOT NULL CHECK (shop_id > 0),
    role       text   NOT NULL CHECK (role IN ('manager', 'staff', 'reception', 'accountant')),
    permission text   NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (shop_id, role, permission)
);

-- Under which of the shop's own persons an actor of another shop works here; no person: the actor's own.
ALTER TABLE vault.membership ADD COLUMN person uuid;
CREATE INDEX grant_actor_v1 ON vault.access_grant (actor, shop_id);

GRANT SELECT, INSERT, DELETE ON vault.taken TO noren_vault;
