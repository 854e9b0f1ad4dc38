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

-- The functions replace version 1, which processes of an older version call. They process a batch as a set: of 32 provisions,
-- each takes half the time that it takes in a loop. Their plans are the same for one element as for many, and for an empty
-- table as for ten million rows: no plan is made for particular values, sequential scans are excluded, and states are
-- compared with a variable where a partial index would seem as good as the primary key.

-- Begins provisions. A new resource gets an operation under a lease. An existing resource is returned without an operation,
-- for the caller to decide. A missing place was inserted concurrently by another process. Jobs are recorded in any case.
CREATE FUNCTION maitre_begin_provisions_v2(
    addons TEXT[], keys TEXT[], plans TEXT[], request_hashes BYTEA[], requests BYTEA[],
    job_kinds TEXT[], job_names TEXT[], job_resources TEXT[], job_payloads BYTEA[],
    job_delays BIGINT[], job_deadlines BIGINT[], owner TEXT, lease_duration BIGINT, clock_offset BIGINT
) RETURNS TABLE (
    place BIGINT, operation BIGINT, id BIGINT, addon TEXT, key TEXT, provider_id TEXT, state TEXT, plan TEXT,
    request_hash BYTEA, reply BYTEA, fence BIGINT, confirmed BOOLEAN
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + clock_offset;
    known BIGINT;
BEGIN
    IF cardinality(array_remove(job_kinds, NULL)) > 0 THEN
        INSERT INTO maitre_jobs (addon, kind, name, resource, payload, state, scheduled_at, deadline, created_at)
        SELECT addon, job_kind, job_name, job_resource, job_payload, 'open', at + job_delay, NULLIF(job_deadline, 0), at
        FROM unnest(addons, job_kinds, job_names, job_resources, job_payloads, job_delays, job_deadlines)
             AS s (addon, job_kind, job_name, job_resource, job_payload, job_delay, job_deadline)
        WHERE job_kind IS NOT NULL
        ON CONFLICT (addon, kind, name) DO NOTHING;
    END IF;
    RETURN QUERY
    SELECT s.place, CAST(NULL AS BIGINT), r.id, r.addon, r.key, r.provider_id, r.state, r.plan, r.request_hash, r.reply,
           r.fence, r.confirmed
    FROM unnest(addons, keys) WITH ORDINALITY AS s (addon, key, place)
    JOIN maitre_resources r ON r.addon = s.addon AND r.key = s.key;
    GET DIAGNOSTICS known = ROW_COUNT;
    IF known = cardinality(keys) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH sent AS MATERIALIZED (
        SELECT s.*, nextval('maitre_resources_id_seq') AS resource, nextval('maitre_operations_id_seq') AS operation
        FROM unnest(addons, keys, plans, request_hashes, requests) WITH ORDINALITY
             AS s (addon, key, plan, request_hash, request, place)
        WHERE NOT EXISTS (SELECT 1 FROM maitre_resources r WHERE r.addon = s.addon AND r.key = s.key)
    ), created AS (
        INSERT INTO maitre_resources (id, addon, key, state, plan, request_hash, fence, created_at, updated_at)
        OVERRIDING SYSTEM VALUE
        SELECT resource, addon, key, 'provisioning', plan, request_hash, 1, at, at FROM sent
        ON CONFLICT (addon, key) DO NOTHING RETURNING id
    ), started AS (
        INSERT INTO maitre_operations (id, resource_id, kind, state, plan, request, attempt, fence, lease_owner,
                                       lease_until, scheduled_at, requested_at, last_requested_at)
        OVERRIDING SYSTEM VALUE
        SELECT operation, resource, 'provision', 'open', plan, request, 1, 1, owner, at + lease_duration, at, at, at
        FROM sent WHERE resource IN (SELECT id FROM created)
        RETURNING resource_id
    )
    SELECT place, operation, resource, addon, key, CAST(NULL AS TEXT), 'provisioning', plan, CAST(NULL AS BYTEA),
           CAST(NULL AS BYTEA), CAST(1 AS BIGINT), TRUE
    FROM sent WHERE resource IN (SELECT resource_id FROM started);
END $$;

-- Completes provisions whose fencing token is the resource's highest, and returns the completed operations. Left to the
-- caller are rows that another transaction has locked, and accepted operations, which need a notification.
CREATE FUNCTION maitre_complete_provisions_v2(
    resources BIGINT[], operations BIGINT[], fences BIGINT[], provider_ids TEXT[], plans TEXT[], replies BYTEA[],
    clock_offset BIGINT
) RETURNS SETOF BIGINT LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + clock_offset;
    open CONSTANT TEXT := 'open';
BEGIN
    RETURN QUERY
    WITH held AS MATERIALIZED (
        SELECT s.* FROM unnest(resources, operations, fences, provider_ids, plans, replies)
                        AS s (resource, operation, fence, provider_id, plan, reply)
        JOIN maitre_resources r ON r.id = s.resource AND r.fence = s.fence
        FOR UPDATE OF r SKIP LOCKED
    ), completed AS (
        UPDATE maitre_operations o
        SET state = 'completed', request = NULL, last_error = NULL, lease_until = 0, finished_at = at
        FROM held h
        WHERE o.id = h.operation AND o.fence = h.fence AND o.state = open AND o.accepted_at IS NULL
        RETURNING o.id
    )
    UPDATE maitre_resources r
    SET provider_id = h.provider_id, reply = h.reply, plan = h.plan, updated_at = at,
        state = CASE WHEN r.state = 'deprovisioning' THEN r.state ELSE 'provisioned' END
    FROM held h
    WHERE r.id = h.resource AND h.operation IN (SELECT id FROM completed)
    RETURNING h.operation;
END $$;

-- Marks operations as accepted, without a deadline if it is 0. Left to the caller are operations that have ended, or that
-- another transaction has locked.
CREATE FUNCTION maitre_accept_operations_v2(operations BIGINT[], deadlines BIGINT[], clock_offset BIGINT)
RETURNS TABLE (operation BIGINT, addon TEXT, key TEXT, progress BYTEA)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + clock_offset;
    open CONSTANT TEXT := 'open';
BEGIN
    RETURN QUERY
    WITH held AS MATERIALIZED (
        SELECT s.* FROM unnest(operations, deadlines) AS s (operation, deadline)
        JOIN maitre_operations o ON o.id = s.operation AND o.state = open
        FOR UPDATE OF o SKIP LOCKED
    )
    UPDATE maitre_operations o
    SET accepted_at = COALESCE(o.accepted_at, at), last_requested_at = at,
        completion_deadline = COALESCE(o.completion_deadline, at + NULLIF(h.deadline, 0))
    FROM held h, maitre_resources r
    WHERE o.id = h.operation AND r.id = o.resource_id
    RETURNING o.id, r.addon, r.key, o.progress;
END $$;
