-- Workflows, runs, the journal, steps and files. Ids are text, times are microseconds since 1970 in UTC,
-- JSON is text. A finished row says when; an open one does not: the schema repeats the machine.

CREATE TABLE revision (
    hash        TEXT PRIMARY KEY,
    slug        TEXT NOT NULL,
    source_name TEXT NOT NULL,
    source_text TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE workflow (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    slug          TEXT NOT NULL,
    template      TEXT,
    revision_hash TEXT NOT NULL REFERENCES revision (hash),
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX workflow_by_slug ON workflow (slug, id);

CREATE TABLE run (
    id            TEXT PRIMARY KEY,
    workflow_id   TEXT NOT NULL REFERENCES workflow (id),
    revision_hash TEXT NOT NULL REFERENCES revision (hash),
    slug          TEXT NOT NULL,
    origin        TEXT NOT NULL,
    inputs        TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'pausing', 'paused', 'cancelling',
                                                  'completed', 'failed', 'cancelled', 'timed_out')),
    created_at    BIGINT NOT NULL,
    started_at    BIGINT,
    finished_at   BIGINT,
    due_at        BIGINT,
    outputs       TEXT,
    fault         TEXT,
    warnings      TEXT NOT NULL DEFAULT '[]',
    CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled', 'timed_out'))),
    CHECK (due_at IS NULL OR status = 'waiting')
);
CREATE INDEX run_open ON run (status, id) WHERE finished_at IS NULL;
CREATE INDEX run_by_slug ON run (slug, id);
CREATE INDEX run_by_workflow ON run (workflow_id, id);

-- One row a commit of a run: all events of that commit. The key is the fence: who writes a number that is
-- taken has not seen everything, and is refused.
-- sqlite: rows clustered by run, one tree to write instead of two
CREATE TABLE journal (
    run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    seq    BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;
-- postgres:
CREATE TABLE journal (
    run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    seq    BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
);
-- all:

-- A settled step. Written once for each generation (a retried step settles again in the next one), never changed.
-- sqlite: rows clustered by run
CREATE TABLE step (
    run_id      TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,
    generation  BIGINT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('completed', 'failed', 'skipped', 'cancelled')),
    attempts    BIGINT NOT NULL,
    started_at  BIGINT,
    finished_at BIGINT NOT NULL,
    outputs     TEXT,
    PRIMARY KEY (run_id, position, generation),
    CHECK ((outputs IS NOT NULL) = (status = 'completed'))
) WITHOUT ROWID;
-- postgres:
CREATE TABLE step (
    run_id      TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,
    generation  BIGINT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('completed', 'failed', 'skipped', 'cancelled')),
    attempts    BIGINT NOT NULL,
    started_at  BIGINT,
    finished_at BIGINT NOT NULL,
    outputs     TEXT,
    PRIMARY KEY (run_id, position, generation),
    CHECK ((outputs IS NOT NULL) = (status = 'completed'))
);
-- all:

CREATE TABLE file (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    size       BIGINT NOT NULL,
    digest     TEXT NOT NULL,
    media_type TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
