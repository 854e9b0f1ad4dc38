-- Resources that the ledger learned of without provisioning them, bindings, updates, and actions of operators.

-- FALSE while the listener is asked whether the resource exists.
ALTER TABLE maitre_resources ADD COLUMN confirmed BOOLEAN NOT NULL DEFAULT TRUE;
-- When the ledger learned of a resource that it did not provision.
ALTER TABLE maitre_resources ADD COLUMN adopted_at BIGINT;
-- When the marketplace suspended the resource, until it is reinstated.
ALTER TABLE maitre_resources ADD COLUMN suspended_at BIGINT;

-- Bindings of resources. A removed binding stays as a tombstone.
-- state: binding, bound, unbinding, unbound, refused (by the listener), parked (an operator has to look at it).
CREATE TABLE maitre_bindings (
    id INTEGER PRIMARY KEY,
    resource_id BIGINT NOT NULL,
    key TEXT NOT NULL, -- id given by the marketplace, under the resource
    state TEXT NOT NULL,
    request_hash BLOB, -- encrypted; compares repeated binds
    reply BLOB, -- encrypted; replayed to repeated binds
    confirmed BOOLEAN NOT NULL DEFAULT TRUE, -- FALSE while the listener is asked to remove a binding that may not exist
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    unbound_at BIGINT,
    UNIQUE (resource_id, key)
);

-- Operations have more kinds: update; bind and unbind of a binding.
-- Encrypted; compares repeated plan changes and updates.
ALTER TABLE maitre_operations ADD COLUMN request_hash BLOB;
-- Binding of a bind or unbind.
ALTER TABLE maitre_operations ADD COLUMN binding_id BIGINT;
CREATE INDEX maitre_operations_binding ON maitre_operations (binding_id) WHERE binding_id IS NOT NULL;

-- Actions of operators, shown in the timeline of their resource.
-- kind: retry, abandon, deprovision, erase.
CREATE TABLE maitre_actions (
    id INTEGER PRIMARY KEY,
    addon TEXT NOT NULL,
    key TEXT NOT NULL, -- key of the resource, or name of a job without a resource
    resource_id BIGINT,
    operation_id BIGINT,
    job_id BIGINT,
    kind TEXT NOT NULL,
    details BLOB NOT NULL, -- encrypted; operator and reason
    created_at BIGINT NOT NULL
);
CREATE INDEX maitre_actions_resource ON maitre_actions (resource_id) WHERE resource_id IS NOT NULL;
