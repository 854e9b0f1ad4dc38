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
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource_id BIGINT NOT NULL,
    key TEXT NOT NULL, -- id given by the marketplace, under the resource
    state TEXT NOT NULL,
    request_hash BYTEA, -- encrypted; compares repeated binds
    reply BYTEA, -- encrypted; replayed to repeated binds
    confirmed BOOLEAN NOT NULL DEFAULT TRUE, -- FALSE while the listener is asked to remove a binding that may not exist
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    unbound_at BIGINT,
    UNIQUE (resource_id, key)
);

-- Operations have more kinds: update; bind and unbind of a binding.
-- Encrypted; compares repeated plan changes and updates.
ALTER TABLE maitre_operations ADD COLUMN request_hash BYTEA;
-- Binding of a bind or unbind.
ALTER TABLE maitre_operations ADD COLUMN binding_id BIGINT;
CREATE INDEX maitre_operations_binding ON maitre_operations (binding_id) WHERE binding_id IS NOT NULL;

-- Actions of operators, shown in the timeline of their resource.
-- kind: retry, abandon, deprovision, erase.
CREATE TABLE maitre_actions (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    addon TEXT NOT NULL,
    key TEXT NOT NULL, -- key of the resource, or name of a job without a resource
    resource_id BIGINT,
    operation_id BIGINT,
    job_id BIGINT,
    kind TEXT NOT NULL,
    details BYTEA NOT NULL, -- encrypted; operator and reason
    created_at BIGINT NOT NULL
);
CREATE INDEX maitre_actions_resource ON maitre_actions (resource_id) WHERE resource_id IS NOT NULL;

-- Begins provisions as version 1, which processes of an older version call, and returns the new column.
CREATE FUNCTION maitre_begin_provisions_v2(
    addons TEXT[], keys TEXT[], plans TEXT[], request_hashes BYTEA[], requests BYTEA[],
    job_kinds TEXT[], job_names TEXT[], job_resources TEXT[], job_payloads BYTEA[],
    job_delays BIGINT[], job_deadlines BIGINT[], owner TEXT, lease_duration BIGINT, clock_offset BIGINT
) RETURNS TABLE (
    place BIGINT, operation BIGINT, id BIGINT, addon TEXT, key TEXT, provider_id TEXT, state TEXT, plan TEXT,
    request_hash BYTEA, reply BYTEA, fence BIGINT, confirmed BOOLEAN
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + clock_offset;
    new_resource BIGINT;
    new_operation BIGINT;
BEGIN
    FOR i IN 1 .. cardinality(keys) LOOP
        RETURN QUERY SELECT CAST(i AS BIGINT), CAST(NULL AS BIGINT), r.id, r.addon, r.key, r.provider_id,
                            r.state, r.plan, r.request_hash, r.reply, r.fence, r.confirmed
                     FROM maitre_resources r WHERE r.addon = addons[i] AND r.key = keys[i];
        CONTINUE WHEN FOUND;
        INSERT INTO maitre_resources (addon, key, state, plan, request_hash, fence, created_at, updated_at)
        VALUES (addons[i], keys[i], 'provisioning', plans[i], request_hashes[i], 1, at, at)
        ON CONFLICT (addon, key) DO NOTHING RETURNING id INTO new_resource;
        CONTINUE WHEN NOT FOUND;
        INSERT INTO maitre_operations (resource_id, kind, state, plan, request, attempt, fence, lease_owner, lease_until,
                                       scheduled_at, requested_at, last_requested_at)
        VALUES (new_resource, 'provision', 'open', plans[i], requests[i], 1, 1, owner, at + lease_duration, at, at, at)
        RETURNING id INTO new_operation;
        IF job_kinds[i] IS NOT NULL THEN
            INSERT INTO maitre_jobs (addon, kind, name, resource, payload, state, scheduled_at, deadline, created_at)
            VALUES (addons[i], job_kinds[i], job_names[i], job_resources[i], job_payloads[i], 'open',
                    at + job_delays[i], NULLIF(job_deadlines[i], 0), at)
            ON CONFLICT (addon, kind, name) DO NOTHING;
        END IF;
        RETURN QUERY SELECT CAST(i AS BIGINT), new_operation, new_resource, addons[i], keys[i], CAST(NULL AS TEXT),
                            'provisioning', plans[i], CAST(NULL AS BYTEA), CAST(NULL AS BYTEA), CAST(1 AS BIGINT), TRUE;
    END LOOP;
END $$;

-- Marks operations as accepted, without a deadline if it is 0. Left to the caller are operations that have ended, or that
-- another transaction has locked.
CREATE FUNCTION maitre_accept_operations_v2(operations BIGINT[], deadlines BIGINT[], clock_offset BIGINT)
RETURNS TABLE (operation BIGINT, addon TEXT, key TEXT, progress BYTEA) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + clock_offset;
BEGIN
    FOR i IN 1 .. cardinality(operations) LOOP
        PERFORM 1 FROM maitre_operations WHERE id = operations[i] AND state = 'open' FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        RETURN QUERY UPDATE maitre_operations o
                     SET accepted_at = COALESCE(o.accepted_at, at), last_requested_at = at,
                         completion_deadline = COALESCE(o.completion_deadline, at + NULLIF(deadlines[i], 0))
                     FROM maitre_resources r WHERE o.id = operations[i] AND r.id = o.resource_id
                     RETURNING o.id, r.addon, r.key, o.progress;
    END LOOP;
END $$;
