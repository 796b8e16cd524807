-- What starts runs by itself, and what came of each occurrence. Only triggers that are not removed have a time at which they
-- are due. A change of a trigger moves `rev`; a fire says which one it has seen, and one that has seen an older one is refused.

CREATE TABLE trigger_row (
    key          TEXT PRIMARY KEY,
    workflow_id  TEXT NOT NULL REFERENCES workflow (id),
    slug         TEXT NOT NULL,
    name         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    spec         TEXT NOT NULL,
    managed      BIGINT NOT NULL,
    switched     BIGINT,
    paused_until BIGINT,
    rev          BIGINT NOT NULL,
    seen_rev     BIGINT NOT NULL,
    next_at      BIGINT,
    due_at       BIGINT,
    last_at      BIGINT,
    held         TEXT,
    held_due     BIGINT,
    token        TEXT UNIQUE,
    secret       TEXT,
    old_secret   TEXT,
    old_until    BIGINT,
    created_at   BIGINT NOT NULL,
    removed_at   BIGINT,
    CHECK (seen_rev = rev),
    CHECK (removed_at IS NULL OR (due_at IS NULL AND held_due IS NULL)),
    CHECK ((held IS NULL) = (held_due IS NULL))
);
CREATE INDEX trigger_due ON trigger_row (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX trigger_held ON trigger_row (held_due) WHERE held_due IS NOT NULL;
CREATE INDEX trigger_by_workflow ON trigger_row (workflow_id, key);
CREATE INDEX trigger_by_kind ON trigger_row (kind, key) WHERE removed_at IS NULL;

-- What a trigger made of an occurrence. The key is what makes two occurrences the same: a second one is refused.
CREATE TABLE firing (
    key         TEXT PRIMARY KEY,
    trigger_key TEXT NOT NULL,
    at          BIGINT NOT NULL,
    nominal     BIGINT,
    until       BIGINT,
    count       BIGINT NOT NULL,
    verdict     TEXT NOT NULL,
    reason      TEXT NOT NULL,
    run_id      TEXT,
    facts       TEXT NOT NULL,
    repeats     BIGINT NOT NULL DEFAULT 0,
    CHECK ((verdict = 'started') = (run_id IS NOT NULL))
);
CREATE INDEX firing_by_trigger ON firing (trigger_key, at);
CREATE INDEX firing_by_age ON firing (at);
CREATE INDEX firing_by_run ON firing (run_id) WHERE run_id IS NOT NULL;
