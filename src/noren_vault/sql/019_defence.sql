-- Defence of sign-in. Instants are milliseconds since the epoch, UTC.

-- Browsers that an account signed in from: HMAC-SHA256 of the shop under the secret in the browser's cookie.
CREATE TABLE vault.known_device (
    actor   uuid   NOT NULL REFERENCES vault.actor (actor),
    hash    bytea  NOT NULL CHECK (length(hash) = 32),
    seen_at bigint NOT NULL,
    PRIMARY KEY (actor, hash)
);
-- The counters of tries as they stood a moment ago, sealed: a restart gives nobody new tries.
CREATE TABLE vault.defence (
    name    text   NOT NULL PRIMARY KEY CHECK (name = 'counters'),
    sealed  bytea  NOT NULL,
    kept_at bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON vault.known_device TO noren_vault;
GRANT SELECT, INSERT, UPDATE ON vault.defence TO noren_vault;
