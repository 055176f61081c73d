-- Signing in through an organisation's own provider (OpenID Connect). Shop 0 is the platform: its operators.
-- Instants are milliseconds since the epoch, UTC.

-- One provider a shop. `sealed` is our secret there; `roles` says which group of the provider's gives which role,
-- `domains` whose mail addresses may come (none: any). `arrivals`: who has a group comes in without an invitation.
-- `required`: the shop's people come in by the provider and in no other way (`sso_required` has the exception).
CREATE TABLE vault.sso (
    shop_id    bigint  NOT NULL PRIMARY KEY CHECK (shop_id >= 0),
    issuer     text    NOT NULL,
    client_id  text    NOT NULL,
    sealed     bytea   NOT NULL,
    claim      text    NOT NULL,
    roles      jsonb   NOT NULL,
    domains    text[]  NOT NULL,
    arrivals   boolean NOT NULL,
    required   boolean NOT NULL,
    changed_at bigint  NOT NULL
);

-- Who is whom: an account's subject at an issuer, as a keyed hash at its full length, and sealed for the next
-- pepper. `credential` is its name in the record. In the keystore for the reason that signin_mail is.
CREATE TABLE keystore.sso_subject (
    actor      uuid   NOT NULL PRIMARY KEY REFERENCES vault.actor (actor),
    shop_id    bigint NOT NULL CHECK (shop_id >= 0),
    issuer     text   NOT NULL,
    credential text   NOT NULL UNIQUE,
    token      bytea  NOT NULL CHECK (length(token) = 32),
    sealed     bytea  NOT NULL,
    pepper     bytea  NOT NULL CONSTRAINT sso_subject_pepper_v1 REFERENCES vault.pepper (id),
    bound_at   bigint NOT NULL,
    CONSTRAINT sso_subject_sealed_v1 CHECK (substring(sealed FROM 2 FOR 4) = pepper)
);
CREATE UNIQUE INDEX sso_subject_token_v1 ON keystore.sso_subject (shop_id, token);

GRANT SELECT, INSERT, UPDATE, DELETE ON vault.sso, keystore.sso_subject TO noren_vault;
