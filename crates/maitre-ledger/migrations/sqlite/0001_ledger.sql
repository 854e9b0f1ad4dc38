CREATE TABLE maitre_resources (
    id INTEGER PRIMARY KEY,
    addon TEXT NOT NULL,
    key TEXT NOT NULL,
    provider_id TEXT,
    state TEXT NOT NULL,
    plan TEXT,
    request_hash BLOB,
    reply BLOB,
    fence BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deprovisioned_at BIGINT,
    UNIQUE (key, addon)
);
CREATE INDEX maitre_resources_provider_id ON maitre_resources (provider_id, addon) WHERE provider_id IS NOT NULL;
CREATE INDEX maitre_resources_deprovisioned ON maitre_resources (deprovisioned_at) WHERE deprovisioned_at IS NOT NULL;

CREATE TABLE maitre_operations (
    id INTEGER PRIMARY KEY,
    resource BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    plan TEXT,
    request BLOB,
    reply BLOB,
    last_error BLOB,
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
    progress BLOB
);
CREATE INDEX maitre_operations_lane ON maitre_operations (resource, id);
CREATE INDEX maitre_operations_due ON maitre_operations (scheduled_at) WHERE state = 'open';
CREATE INDEX maitre_operations_accepted ON maitre_operations (completion_deadline)
    WHERE state = 'open' AND completion_deadline IS NOT NULL;
CREATE INDEX maitre_operations_parked ON maitre_operations (last_requested_at) WHERE state = 'parked';

CREATE TABLE maitre_jobs (
    id INTEGER PRIMARY KEY,
    addon TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    resource TEXT,
    payload BLOB,
    state TEXT NOT NULL,
    last_error BLOB,
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
    id INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    addon TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB,
    version BIGINT NOT NULL DEFAULT 0,
    locked_by TEXT,
    locked_until BIGINT NOT NULL DEFAULT 0,
    UNIQUE (resource, addon, name)
);

CREATE TABLE maitre_used_tokens (
    hash BLOB PRIMARY KEY,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX maitre_used_tokens_expiry ON maitre_used_tokens (expires_at);

CREATE TABLE maitre_sessions (
    hash BLOB PRIMARY KEY,
    data BLOB NOT NULL,
    resource TEXT,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX maitre_sessions_resource ON maitre_sessions (resource) WHERE resource IS NOT NULL;
CREATE INDEX maitre_sessions_expiry ON maitre_sessions (expires_at);
