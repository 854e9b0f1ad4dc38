CREATE TABLE maitre_resources (
    id INTEGER PRIMARY KEY,
    addon TEXT NOT NULL,
    key TEXT NOT NULL,
    provider_id TEXT,
    state TEXT NOT NULL,
    plan TEXT,
    asked BLOB,
    reply BLOB,
    fence BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT,
    UNIQUE (key, addon)
);
CREATE INDEX maitre_resources_provider_id ON maitre_resources (provider_id, addon) WHERE provider_id IS NOT NULL;
CREATE INDEX maitre_resources_removed ON maitre_resources (removed_at) WHERE removed_at IS NOT NULL;

CREATE TABLE maitre_operations (
    id INTEGER PRIMARY KEY,
    resource BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    plan TEXT,
    request BLOB,
    reply BLOB,
    cause BLOB,
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
    progress BLOB
);
CREATE INDEX maitre_operations_lane ON maitre_operations (resource, id);
CREATE INDEX maitre_operations_due ON maitre_operations (due_at) WHERE state = 'open';
CREATE INDEX maitre_operations_accepted ON maitre_operations (accepted_until)
    WHERE state = 'open' AND accepted_until IS NOT NULL;
CREATE INDEX maitre_operations_parked ON maitre_operations (last_asked_at) WHERE state = 'parked';

CREATE TABLE maitre_errands (
    id INTEGER PRIMARY KEY,
    addon TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    resource TEXT,
    payload BLOB,
    state TEXT NOT NULL,
    cause BLOB,
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
    id INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    addon TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB,
    version BIGINT NOT NULL DEFAULT 0,
    held_by TEXT,
    held_until BIGINT NOT NULL DEFAULT 0,
    UNIQUE (resource, addon, name)
);

CREATE TABLE maitre_marks (
    hash BLOB PRIMARY KEY,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX maitre_marks_expiry ON maitre_marks (expires_at);

CREATE TABLE maitre_sessions (
    hash BLOB PRIMARY KEY,
    data BLOB NOT NULL,
    resource TEXT,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX maitre_sessions_resource ON maitre_sessions (resource) WHERE resource IS NOT NULL;
CREATE INDEX maitre_sessions_expiry ON maitre_sessions (expires_at);
