-- A resource is written twice within moments: without its answer, which is most of it, and with it. There is room for that
-- on its page, and no index has a column that the second time changes, so that its indexes are written once.
CREATE TABLE maitre_resources (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    addon TEXT NOT NULL,
    key TEXT NOT NULL,
    provider_id TEXT,
    state TEXT NOT NULL,
    plan TEXT,
    request_hash BYTEA,
    reply BYTEA,
    fence BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deprovisioned_at BIGINT,
    UNIQUE (key, addon)
) WITH (fillfactor = 30);
CREATE INDEX maitre_resources_provider_id ON maitre_resources (provider_id, addon) WHERE provider_id IS NOT NULL;
CREATE INDEX maitre_resources_deprovisioned ON maitre_resources (deprovisioned_at) WHERE deprovisioned_at IS NOT NULL;

CREATE TABLE maitre_operations (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    plan TEXT,
    request BYTEA,
    reply BYTEA,
    last_error BYTEA,
    attempt BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    scheduled_at BIGINT NOT NULL,
    requested_at BIGINT NOT NULL,
    last_requested_at BIGINT NOT NULL,
    finished_at BIGINT,
    accepted_at BIGINT,
    completion_deadline BIGINT,
    alarm_level BIGINT NOT NULL DEFAULT 0,
    notifying BOOLEAN NOT NULL DEFAULT FALSE,
    progress BYTEA
);
CREATE INDEX maitre_operations_lane ON maitre_operations (resource, id);
CREATE INDEX maitre_operations_due ON maitre_operations (scheduled_at) WHERE state = 'open';
CREATE INDEX maitre_operations_accepted ON maitre_operations (completion_deadline)
    WHERE state = 'open' AND completion_deadline IS NOT NULL;
CREATE INDEX maitre_operations_parked ON maitre_operations (last_requested_at) WHERE state = 'parked';

CREATE TABLE maitre_jobs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    addon TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    resource TEXT,
    payload BYTEA,
    state TEXT NOT NULL,
    last_error BYTEA,
    attempt BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    scheduled_at BIGINT NOT NULL,
    deadline BIGINT,
    alarm_level BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    UNIQUE (name, kind, addon)
);
CREATE INDEX maitre_jobs_due ON maitre_jobs (scheduled_at) WHERE state = 'open';
CREATE INDEX maitre_jobs_parked ON maitre_jobs (id) WHERE state = 'parked';
CREATE INDEX maitre_jobs_finished ON maitre_jobs (finished_at) WHERE state = 'completed';
CREATE INDEX maitre_jobs_resource ON maitre_jobs (resource) WHERE resource IS NOT NULL;

CREATE TABLE maitre_values (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource TEXT NOT NULL,
    addon TEXT NOT NULL,
    name TEXT NOT NULL,
    value BYTEA,
    version BIGINT NOT NULL DEFAULT 0,
    locked_by TEXT,
    locked_until BIGINT NOT NULL DEFAULT 0,
    UNIQUE (resource, addon, name)
);

CREATE TABLE maitre_used_tokens (
    hash BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX maitre_used_tokens_expiry ON maitre_used_tokens (expires_at);

CREATE TABLE maitre_sessions (
    hash BYTEA PRIMARY KEY,
    data BYTEA NOT NULL,
    resource TEXT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX maitre_sessions_resource ON maitre_sessions (resource) WHERE resource IS NOT NULL;
CREATE INDEX maitre_sessions_expiry ON maitre_sessions (expires_at);

-- Many provisions in one round trip and one commit. Each is taken by itself, so that its plan is the same for one as for
-- many, and for a table of ten rows as for one of ten million. What is new is begun under a lease, and its errand noted if
-- it has one; of what is known the record comes back, for the caller to judge. A place that is missing was taken by
-- somebody else at the same moment.
CREATE FUNCTION maitre_begin_provisions_v1(
    addons TEXT[], keys TEXT[], plans TEXT[], request_hashes BYTEA[], requests BYTEA[],
    job_kinds TEXT[], job_names TEXT[], job_resources TEXT[], job_payloads BYTEA[],
    job_delays BIGINT[], job_deadlines BIGINT[], by_owner TEXT, for_milliseconds BIGINT, clock_offset BIGINT
) RETURNS TABLE (
    place BIGINT, operation BIGINT, id BIGINT, addon TEXT, key TEXT, state TEXT, plan TEXT, request_hash BYTEA, reply BYTEA,
    fence BIGINT
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + clock_offset;
    made BIGINT;
    begun BIGINT;
BEGIN
    FOR i IN 1 .. cardinality(keys) LOOP
        RETURN QUERY SELECT CAST(i AS BIGINT), CAST(NULL AS BIGINT), r.id, r.addon, r.key, r.state, r.plan, r.request_hash,
                            r.reply, r.fence
                     FROM maitre_resources r WHERE r.addon = addons[i] AND r.key = keys[i];
        CONTINUE WHEN FOUND;
        INSERT INTO maitre_resources (addon, key, state, plan, request_hash, fence, created_at, updated_at)
        VALUES (addons[i], keys[i], 'provisioning', plans[i], request_hashes[i], 1, at, at)
        ON CONFLICT (addon, key) DO NOTHING RETURNING id INTO made;
        CONTINUE WHEN NOT FOUND;
        INSERT INTO maitre_operations (resource, kind, state, plan, request, attempt, fence, lease_owner, lease_until,
                                       scheduled_at, requested_at, last_requested_at)
        VALUES (made, 'provision', 'open', plans[i], requests[i], 1, 1, by_owner, at + for_milliseconds, at, at, at)
        RETURNING id INTO begun;
        IF job_kinds[i] IS NOT NULL THEN
            INSERT INTO maitre_jobs (addon, kind, name, resource, payload, state, scheduled_at, deadline, created_at)
            VALUES (addons[i], job_kinds[i], job_names[i], job_resources[i], job_payloads[i], 'open',
                    at + job_delays[i], NULLIF(job_deadlines[i], 0), at)
            ON CONFLICT (addon, kind, name) DO NOTHING;
        END IF;
        RETURN QUERY SELECT CAST(i AS BIGINT), begun, made, addons[i], keys[i], 'provisioning', plans[i],
                            CAST(NULL AS BYTEA), CAST(NULL AS BYTEA), CAST(1 AS BIGINT);
    END LOOP;
END $$;

-- Many provisions that were done: each is written down if its fence is still the resource's. What somebody else holds at
-- this moment is left out, for its caller to try alone, and so is what was accepted, of which more has to be done. Returns
-- the operations that were ended.
CREATE FUNCTION maitre_end_provisions_v1(
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

-- Many callers who are let go before what they asked for is done. What has ended, or is held by somebody else at this
-- moment, is left out, for its caller to look at alone.
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
                     FROM maitre_resources r WHERE o.id = operations[i] AND r.id = o.resource
                     RETURNING o.id, r.addon, r.key, o.progress;
    END LOOP;
END $$;
