-- All times are milliseconds since 1970 by the database's clock. Columns marked "encrypted" are sealed with associated
-- data that names their row and column.

-- Resources, one row per key. A deprovisioned resource stays as a tombstone.
-- state: provisioning, provisioned, changing_plan, deprovisioning, deprovisioned, refused (by the listener),
-- parked (an operator has to look at it).
CREATE TABLE maitre_resources (
    id INTEGER PRIMARY KEY,
    addon TEXT NOT NULL, -- marketplace/slug
    key TEXT NOT NULL, -- id given by the marketplace
    provider_id TEXT, -- vendor's id, if it differs from the key
    state TEXT NOT NULL,
    plan TEXT,
    request_hash BLOB, -- encrypted; compares repeated provisions
    reply BLOB, -- encrypted; replayed to repeated provisions
    fence BIGINT NOT NULL DEFAULT 0, -- highest fencing token
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deprovisioned_at BIGINT,
    UNIQUE (key, addon)
);
CREATE INDEX maitre_resources_provider_id ON maitre_resources (provider_id, addon) WHERE provider_id IS NOT NULL;
CREATE INDEX maitre_resources_deprovisioned ON maitre_resources (deprovisioned_at) WHERE deprovisioned_at IS NOT NULL;

-- Operations: idempotency record and queue entry in one row.
-- kind: provision, plan_change, deprovision.
-- state: open, parked (an operator has to look at it), completed, cancelled (overtaken by a deprovision or replaced by a
-- new provision), abandoned (by an operator).
-- An open operation is run by the process in lease_owner until lease_until, waits for scheduled_at, or waits for earlier
-- operations of its resource.
CREATE TABLE maitre_operations (
    id INTEGER PRIMARY KEY,
    resource_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    plan TEXT,
    request BLOB, -- encrypted; removed on completion
    reply BLOB, -- encrypted; NULL where the resource has it
    last_error BLOB, -- encrypted
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
    progress BLOB -- encrypted; last progress message
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
    id INTEGER PRIMARY KEY,
    addon TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    resource TEXT, -- key of the resource
    payload BLOB, -- encrypted; removed on completion
    state TEXT NOT NULL,
    last_error BLOB, -- encrypted
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
    id INTEGER PRIMARY KEY,
    resource TEXT NOT NULL, -- key of the resource
    addon TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB, -- encrypted; NULL if only locked
    version BIGINT NOT NULL DEFAULT 0,
    locked_by TEXT, -- owner of the lock
    locked_until BIGINT NOT NULL DEFAULT 0,
    UNIQUE (resource, addon, name)
);

-- Hashes of used single sign-on tokens.
CREATE TABLE maitre_used_tokens (
    hash BLOB PRIMARY KEY,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX maitre_used_tokens_expiry ON maitre_used_tokens (expires_at);

-- User sessions, by the hash of their id.
CREATE TABLE maitre_sessions (
    hash BLOB PRIMARY KEY,
    data BLOB NOT NULL,
    resource TEXT,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX maitre_sessions_resource ON maitre_sessions (resource) WHERE resource IS NOT NULL;
CREATE INDEX maitre_sessions_expiry ON maitre_sessions (expires_at);
