-- An invitation's link that was printed as well as mailed: whoever comes by it has not shown that the mail reached
-- her, so her address is not proved by it, and no password is set by it (passkey_only).
ALTER TABLE vault.invite ADD COLUMN told boolean NOT NULL DEFAULT false;
