-- Resources that the ledger learned of without provisioning them, and actions of operators.

-- FALSE while the listener is asked whether the resource exists.
ALTER TABLE maitre_resources ADD COLUMN confirmed BOOLEAN NOT NULL DEFAULT TRUE;
-- When the ledger learned of a resource that it did not provision.
ALTER TABLE maitre_resources ADD COLUMN adopted_at BIGINT;

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
