-- A resource is written twice within moments: without its answer, which is most of it, and with it. There is room for that
-- on its page, and no index has a column that the second time changes, so that its indexes are written once.
CREATE TABLE maitre_resources (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    addon TEXT NOT NULL,
    key TEXT NOT NULL,
    provider_id TEXT,
    state TEXT NOT NULL,
    plan TEXT,
    asked BYTEA,
    reply BYTEA,
    fence BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT,
    UNIQUE (key, addon)
) WITH (fillfactor = 30);
CREATE INDEX maitre_resources_provider_id ON maitre_resources (provider_id, addon) WHERE provider_id IS NOT NULL;
CREATE INDEX maitre_resources_removed ON maitre_resources (removed_at) WHERE removed_at IS NOT NULL;

CREATE TABLE maitre_operations (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    plan TEXT,
    request BYTEA,
    reply BYTEA,
    cause BYTEA,
    attempts BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    last_asked_at BIGINT NOT NULL,
    ended_at BIGINT,
    accepted_at BIGINT,
    accepted_until BIGINT,
    alarms BIGINT NOT NULL DEFAULT 0,
    telling BIGINT NOT NULL DEFAULT 0,
    progress BYTEA
);
CREATE INDEX maitre_operations_lane ON maitre_operations (resource, id);
CREATE INDEX maitre_operations_due ON maitre_operations (due_at) WHERE state = 'open';
CREATE INDEX maitre_operations_accepted ON maitre_operations (accepted_until)
    WHERE state = 'open' AND accepted_until IS NOT NULL;
CREATE INDEX maitre_operations_parked ON maitre_operations (last_asked_at) WHERE state = 'parked';

CREATE TABLE maitre_errands (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    addon TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    resource TEXT,
    payload BYTEA,
    state TEXT NOT NULL,
    cause BYTEA,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    ends_at BIGINT,
    alarms BIGINT NOT NULL DEFAULT 0,
    noted_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (name, kind, addon)
);
CREATE INDEX maitre_errands_due ON maitre_errands (due_at) WHERE state = 'open';
CREATE INDEX maitre_errands_parked ON maitre_errands (id) WHERE state = 'parked';
CREATE INDEX maitre_errands_ended ON maitre_errands (ended_at) WHERE state = 'done';
CREATE INDEX maitre_errands_resource ON maitre_errands (resource) WHERE resource IS NOT NULL;

CREATE TABLE maitre_records (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource TEXT NOT NULL,
    addon TEXT NOT NULL,
    name TEXT NOT NULL,
    value BYTEA,
    version BIGINT NOT NULL DEFAULT 0,
    held_by TEXT,
    held_until BIGINT NOT NULL DEFAULT 0,
    UNIQUE (resource, addon, name)
);

CREATE TABLE maitre_marks (
    hash BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX maitre_marks_expiry ON maitre_marks (expires_at);

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
CREATE FUNCTION maitre_begin_provisions(
    addons TEXT[], keys TEXT[], plans TEXT[], askeds BYTEA[], requests BYTEA[],
    errand_kinds TEXT[], errand_names TEXT[], errand_resources TEXT[], errand_payloads BYTEA[],
    errand_afters BIGINT[], errand_ends BIGINT[], by_owner TEXT, for_milliseconds BIGINT, turned BIGINT
) RETURNS TABLE (
    place BIGINT, operation BIGINT, id BIGINT, addon TEXT, key TEXT, state TEXT, plan TEXT, asked BYTEA, reply BYTEA,
    fence BIGINT
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + turned;
    made BIGINT;
    begun BIGINT;
BEGIN
    FOR i IN 1 .. cardinality(keys) LOOP
        RETURN QUERY SELECT CAST(i AS BIGINT), CAST(NULL AS BIGINT), r.id, r.addon, r.key, r.state, r.plan, r.asked,
                            r.reply, r.fence
                     FROM maitre_resources r WHERE r.addon = addons[i] AND r.key = keys[i];
        CONTINUE WHEN FOUND;
        INSERT INTO maitre_resources (addon, key, state, plan, asked, fence, created_at, changed_at)
        VALUES (addons[i], keys[i], 'provisioning', plans[i], askeds[i], 1, at, at)
        ON CONFLICT (addon, key) DO NOTHING RETURNING id INTO made;
        CONTINUE WHEN NOT FOUND;
        INSERT INTO maitre_operations (resource, kind, state, plan, request, attempts, fence, lease_owner, lease_until,
                                       due_at, asked_at, last_asked_at)
        VALUES (made, 'provision', 'open', plans[i], requests[i], 1, 1, by_owner, at + for_milliseconds, at, at, at)
        RETURNING id INTO begun;
        IF errand_kinds[i] IS NOT NULL THEN
            INSERT INTO maitre_errands (addon, kind, name, resource, payload, state, due_at, ends_at, noted_at)
            VALUES (addons[i], errand_kinds[i], errand_names[i], errand_resources[i], errand_payloads[i], 'open',
                    at + errand_afters[i], NULLIF(errand_ends[i], 0), at)
            ON CONFLICT (addon, kind, name) DO NOTHING;
        END IF;
        RETURN QUERY SELECT CAST(i AS BIGINT), begun, made, addons[i], keys[i], 'provisioning', plans[i],
                            CAST(NULL AS BYTEA), CAST(NULL AS BYTEA), CAST(1 AS BIGINT);
    END LOOP;
END $$;

-- Many provisions that were done: each is written down if its fence is still the resource's. What somebody else holds at
-- this moment is left out, for its caller to try alone, and so is what was accepted, of which more has to be done. Returns
-- the operations that were ended.
CREATE FUNCTION maitre_end_provisions(
    resources BIGINT[], operations BIGINT[], fences BIGINT[], provider_ids TEXT[], plans TEXT[], replies BYTEA[],
    turned BIGINT
) RETURNS SETOF BIGINT LANGUAGE plpgsql AS $$
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + turned;
BEGIN
    FOR i IN 1 .. cardinality(resources) LOOP
        PERFORM 1 FROM maitre_resources WHERE id = resources[i] AND fence = fences[i] FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE maitre_operations
        SET state = 'done', request = NULL, cause = NULL, lease_until = 0, ended_at = at
        WHERE id = operations[i] AND fence = fences[i] AND state = 'open' AND accepted_at IS NULL;
        CONTINUE WHEN NOT FOUND;
        UPDATE maitre_resources
        SET provider_id = provider_ids[i], reply = replies[i], plan = plans[i], changed_at = at,
            state = CASE WHEN state = 'removing' THEN state ELSE 'provisioned' END
        WHERE id = resources[i];
        RETURN NEXT operations[i];
    END LOOP;
END $$;

-- Many callers who are let go before what they asked for is done. What has ended, or is held by somebody else at this
-- moment, is left out, for its caller to look at alone.
CREATE FUNCTION maitre_accept_operations(operations BIGINT[], patiences BIGINT[], turned BIGINT)
RETURNS TABLE (operation BIGINT, addon TEXT, key TEXT, progress BYTEA) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    at BIGINT := CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + turned;
BEGIN
    FOR i IN 1 .. cardinality(operations) LOOP
        PERFORM 1 FROM maitre_operations WHERE id = operations[i] AND state = 'open' FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        RETURN QUERY UPDATE maitre_operations o
                     SET accepted_at = COALESCE(o.accepted_at, at), last_asked_at = at,
                         accepted_until = COALESCE(o.accepted_until, at + patiences[i])
                     FROM maitre_resources r WHERE o.id = operations[i] AND r.id = o.resource
                     RETURNING o.id, r.addon, r.key, o.progress;
    END LOOP;
END $$;
