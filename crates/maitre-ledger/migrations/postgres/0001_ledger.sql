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
    UNIQUE (addon, key)
);
CREATE INDEX maitre_resources_provider_id ON maitre_resources (addon, provider_id) WHERE provider_id IS NOT NULL;

CREATE TABLE maitre_operations (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource BIGINT NOT NULL REFERENCES maitre_resources (id) ON DELETE CASCADE,
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
    ended_at BIGINT
);
CREATE INDEX maitre_operations_lane ON maitre_operations (resource, id);
CREATE INDEX maitre_operations_due ON maitre_operations (due_at) WHERE state = 'open';

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
