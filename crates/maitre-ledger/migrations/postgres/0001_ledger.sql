-- All times are milliseconds since 1970 by the database's clock. Columns marked "encrypted" are sealed with associated
-- data that names their row and column.

-- Resources, one row per key. A deprovisioned resource stays as a tombstone.
-- state: provisioning, provisioned, changing_plan, deprovisioning, deprovisioned, refused (by the listener),
-- parked (an operator has to look at it).
-- A row is written twice within moments: without its reply, which is most of it, and with it. The fill factor leaves room
-- for the second version on the page, and no index contains a column that the second write changes, so that each index is
-- written once.
CREATE TABLE maitre_resources (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    addon TEXT NOT NULL, -- marketplace/slug
    key TEXT NOT NULL, -- id given by the marketplace
    provider_id TEXT, -- vendor's id, if it differs from the key
    state TEXT NOT NULL,
    plan TEXT,
    request_hash BYTEA, -- encrypted; compares repeated provisions
    reply BYTEA, -- encrypted; replayed to repeated provisions
    fence BIGINT NOT NULL DEFAULT 0, -- highest fencing token
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deprovisioned_at BIGINT,
    UNIQUE (key, addon)
) WITH (fillfactor = 30);
CREATE INDEX maitre_resources_provider_id ON maitre_resources (provider_id, addon) WHERE provider_id IS NOT NULL;
CREATE INDEX maitre_resources_deprovisioned ON maitre_resources (deprovisioned_at) WHERE deprovisioned_at IS NOT NULL;

-- Operations: idempotency record and queue entry in one row.
-- kind: provision, plan_change, deprovision.
-- state: open, parked (an operator has to look at it), completed, cancelled (overtaken by a deprovision or replaced by a
-- new provision), abandoned (by an operator).
-- An open operation is run by the process in lease_owner until lease_until, waits for scheduled_at, or waits for earlier
-- operations of its resource.
CREATE TABLE maitre_operations (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    plan TEXT,
    request BYTEA, -- encrypted; removed on completion
    reply BYTEA, -- encrypted; NULL where the resource has it
    last_error BYTEA, -- encrypted
    attempt BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0, -- fencing token of the last attempt
    lease_owner TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    scheduled_at BIGINT NOT NULL,
    requested_at BIGINT NOT NULL,
    last_requested_at BIGINT NOT NULL,
    finished_at BIGINT,
    accepted_at BIGINT, -- when the caller was answered "accepted"
    completion_deadline BIGINT, -- when the marketplace gives up
    alarm_level BIGINT NOT NULL DEFAULT 0, -- alarms raised so far, 0 to 3
    notifying BOOLEAN NOT NULL DEFAULT FALSE, -- the listener has replied; the marketplace has to be notified
    progress BYTEA -- encrypted; last progress message
);
CREATE INDEX maitre_operations_resource ON maitre_operations (resource_id, id);
CREATE INDEX maitre_operations_due ON maitre_operations (scheduled_at) WHERE state = 'open';
CREATE INDEX maitre_operations_accepted ON maitre_operations (completion_deadline)
    WHERE state = 'open' AND completion_deadline IS NOT NULL;
CREATE INDEX maitre_operations_parked ON maitre_operations (last_requested_at) WHERE state = 'parked';

-- Background jobs of a marketplace's API. The name makes a job unique within its kind.
-- state: open, parked (an operator has to look at it), completed. Completed jobs are kept for 8 days, so that a repeated
-- event is recognized.
CREATE TABLE maitre_jobs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    addon TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    resource TEXT, -- key of the resource
    payload BYTEA, -- encrypted; removed on completion
    state TEXT NOT NULL,
    last_error BYTEA, -- encrypted
    attempt BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    scheduled_at BIGINT NOT NULL,
    deadline BIGINT, -- when it is too late to run
    alarm_level BIGINT NOT NULL DEFAULT 0, -- 1 once the alarm was raised
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    UNIQUE (name, kind, addon)
);
CREATE INDEX maitre_jobs_due ON maitre_jobs (scheduled_at) WHERE state = 'open';
CREATE INDEX maitre_jobs_parked ON maitre_jobs (id) WHERE state = 'parked';
CREATE INDEX maitre_jobs_finished ON maitre_jobs (finished_at) WHERE state = 'completed';
CREATE INDEX maitre_jobs_resource ON maitre_jobs (resource) WHERE resource IS NOT NULL;

-- Values of a marketplace's API about a resource, and locks on them.
CREATE TABLE maitre_values (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource TEXT NOT NULL, -- key of the resource
    addon TEXT NOT NULL,
    name TEXT NOT NULL,
    value BYTEA, -- encrypted; NULL if only locked
    version BIGINT NOT NULL DEFAULT 0,
    locked_by TEXT, -- owner of the lock
    locked_until BIGINT NOT NULL DEFAULT 0,
    UNIQUE (resource, addon, name)
);

-- Hashes of used single sign-on tokens.
CREATE TABLE maitre_used_tokens (
    hash BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX maitre_used_tokens_expiry ON maitre_used_tokens (expires_at);

-- User sessions, by the hash of their id.
CREATE TABLE maitre_sessions (
    hash BYTEA PRIMARY KEY,
    data BYTEA NOT NULL,
    resource TEXT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX maitre_sessions_resource ON maitre_sessions (resource) WHERE resource IS NOT NULL;
CREATE INDEX maitre_sessions_expiry ON maitre_sessions (expires_at);

-- The functions run batches in one round trip and one commit. They process one element at a time, so that the plan of
-- each statement is the same for one element as for many, and for a table of ten rows as for ten million. Processes of an
-- older version call them during a rolling deployment: a changed function gets a new name (_v2).

-- Begins provisions. A new resource gets an operation under a lease and its job, if it has one. An existing resource is
-- returned without an operation, for the caller to decide. A missing place was inserted concurrently by another process.
CREATE FUNCTION maitre_begin_provisions_v1(
    addons TEXT[], keys TEXT[], plans TEXT[], request_hashes BYTEA[], requests BYTEA[],
    job_kinds TEXT[], job_names TEXT[], job_resources TEXT[], job_payloads BYTEA[],
    job_delays BIGINT[], job_deadlines BIGINT[], owner TEXT, lease_duration BIGINT, clock_offset BIGINT
) RETURNS TABLE (
    place BIGINT, operation BIGINT, id BIGINT, addon TEXT, key TEXT, provider_id TEXT, state TEXT, plan TEXT,
    request_hash BYTEA, reply BYTEA, fence BIGINT
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + clock_offset;
    new_resource BIGINT;
    new_operation BIGINT;
BEGIN
    FOR i IN 1 .. cardinality(keys) LOOP
        RETURN QUERY SELECT CAST(i AS BIGINT), CAST(NULL AS BIGINT), r.id, r.addon, r.key, r.provider_id,
                            r.state, r.plan, r.request_hash, r.reply, r.fence
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
                            'provisioning', plans[i], CAST(NULL AS BYTEA), CAST(NULL AS BYTEA), CAST(1 AS BIGINT);
    END LOOP;
END $$;

-- Completes provisions whose fencing token is the resource's highest, and returns the completed operations. Left to the
-- caller are rows that another transaction has locked, and accepted operations, which need a notification.
CREATE FUNCTION maitre_complete_provisions_v1(
    resources BIGINT[], operations BIGINT[], fences BIGINT[], provider_ids TEXT[], plans TEXT[], replies BYTEA[],
    clock_offset BIGINT
) RETURNS SETOF BIGINT LANGUAGE plpgsql AS $$
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + clock_offset;
BEGIN
    FOR i IN 1 .. cardinality(resources) LOOP
        PERFORM 1 FROM maitre_resources WHERE id = resources[i] AND fence = fences[i] FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE maitre_operations
        SET state = 'completed', request = NULL, last_error = NULL, lease_until = 0, finished_at = at
        WHERE id = operations[i] AND fence = fences[i] AND state = 'open' AND accepted_at IS NULL;
        CONTINUE WHEN NOT FOUND;
        UPDATE maitre_resources
        SET provider_id = provider_ids[i], reply = replies[i], plan = plans[i], updated_at = at,
            state = CASE WHEN state = 'deprovisioning' THEN state ELSE 'provisioned' END
        WHERE id = resources[i];
        RETURN NEXT operations[i];
    END LOOP;
END $$;

-- Marks operations as accepted. Left to the caller are operations that have ended, or that another transaction has locked.
CREATE FUNCTION maitre_accept_operations_v1(operations BIGINT[], deadlines BIGINT[], clock_offset BIGINT)
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
                         completion_deadline = COALESCE(o.completion_deadline, at + deadlines[i])
                     FROM maitre_resources r WHERE o.id = operations[i] AND r.id = o.resource_id
                     RETURNING o.id, r.addon, r.key, o.progress;
    END LOOP;
END $$;
