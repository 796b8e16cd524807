-- What was taken back, and marks in what a workflow does. What a step did stands with the step.

CREATE TABLE undone (
    run_id     TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    position   BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    by_run     TEXT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (run_id, position, generation)
);

CREATE TABLE checkpoint (
    id          TEXT PRIMARY KEY,
    workflow_id TEXT NOT NULL REFERENCES workflow (id),
    at          BIGINT NOT NULL
);
