-- The mail that is owed to who asked: which one, since when, and when it is tried next. Empty: none. Written with what
-- it tells of, and taken away when it went, or surely does not go. Instants are milliseconds since the epoch, UTC.
ALTER TABLE vault.inquiry
    ADD COLUMN owed      text   NOT NULL DEFAULT '' CHECK (owed ~ '^((received|answer|link)-[0-9]{1,9})?$'),
    ADD COLUMN owed_at   bigint NOT NULL DEFAULT 0,
    ADD COLUMN owed_next bigint NOT NULL DEFAULT 0;
CREATE INDEX inquiry_owed_v1 ON vault.inquiry (owed_next) WHERE owed <> '';
