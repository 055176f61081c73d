-- Keys by which a shop's programs come in. `hash` is the SHA-256 of the whole key: 32 random bytes are in it, so
-- nothing slower is needed. `sealed` is what the shop calls it. Instants are milliseconds since the epoch, UTC.
CREATE TABLE vault.api_key (
    name       text   NOT NULL PRIMARY KEY CHECK (name ~ '^key-[0-9a-f]{24}$'),
    shop_id    bigint NOT NULL CHECK (shop_id > 0),
    hash       bytea  NOT NULL UNIQUE CHECK (length(hash) = 32),
    scopes     text[] NOT NULL CHECK (cardinality(scopes) > 0),
    sealed     bytea  NOT NULL,
    made_by    uuid   NOT NULL REFERENCES vault.actor (actor),
    made_at    bigint NOT NULL,
    expires_at bigint NOT NULL CHECK (expires_at > made_at),
    used_at    bigint,
    revoked_at bigint
);
CREATE INDEX api_key_shop_v1 ON vault.api_key (shop_id, made_at);
GRANT SELECT, INSERT, UPDATE ON vault.api_key TO noren_vault;
