-- Accounts of customers above resources, and rotations of credentials.

-- Accounts, one row per id that the marketplace gave. A closed account stays as a tombstone.
-- state: active, finalizing (closed, but its credentials are valid), gone.
CREATE TABLE maitre_accounts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    addon TEXT NOT NULL, -- marketplace/slug
    key TEXT NOT NULL, -- id given by the marketplace
    state TEXT NOT NULL,
    credentials BYTEA, -- encrypted; NULL once gone
    details BYTEA, -- encrypted; NULL once gone
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    closed_at BIGINT, -- when the listener has closed it
    UNIQUE (key, addon)
);

-- Key of the account in maitre_accounts, at marketplaces that have accounts.
ALTER TABLE maitre_resources ADD COLUMN account TEXT;
CREATE INDEX maitre_resources_account ON maitre_resources (account, addon) WHERE account IS NOT NULL;

-- Operations have one more kind: rotate.
-- Hash of the key by which the marketplace marks repetitions of one request.
ALTER TABLE maitre_operations ADD COLUMN request_key TEXT;
CREATE INDEX maitre_operations_request_key ON maitre_operations (resource_id, request_key) WHERE request_key IS NOT NULL;
