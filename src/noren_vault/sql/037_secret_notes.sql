-- What people write into the inventory of secrets: a secret of another system (`row`), another place where one lies
-- (`place`), that one was made anew (`rotated`). Never a secret, nor a hash of one. The words lie sealed; what is over
-- stays with who ended it. Instants are milliseconds since the epoch, UTC.
CREATE TABLE vault.secret_note (
    note       text   NOT NULL PRIMARY KEY CHECK (note ~ '^[0-9a-f]{16}$'),
    secret     text   NOT NULL CHECK (secret ~ '^[a-z][a-z0-9-]{1,39}$'),
    kind       text   NOT NULL CHECK (kind IN ('row', 'place', 'rotated')),
    place      text   NOT NULL DEFAULT '' CHECK (place ~ '^[a-z-]{0,30}$'),
    reaches    text[] NOT NULL DEFAULT '{}',
    rotated_at bigint,
    sealed     bytea  NOT NULL,
    by         text   NOT NULL,
    at         bigint NOT NULL,
    gone_by    text,
    gone_at    bigint,
    CONSTRAINT secret_note_place_v1 CHECK ((place <> '') = (kind = 'place')),
    CONSTRAINT secret_note_rotated_v1 CHECK ((rotated_at IS NOT NULL) = (kind = 'rotated')),
    CONSTRAINT secret_note_gone_v1 CHECK ((gone_by IS NULL) = (gone_at IS NULL))
);
CREATE UNIQUE INDEX secret_note_row_v1 ON vault.secret_note (secret) WHERE kind = 'row';
GRANT SELECT, INSERT, UPDATE ON vault.secret_note TO noren_vault;
