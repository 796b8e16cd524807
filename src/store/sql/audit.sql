-- name: audit_journal_gaps
-- Executions whose journal has a gap: commits are numbered from 1 without one.
SELECT run_id AS place FROM journal GROUP BY run_id HAVING min(seq) <> 1 OR max(seq) <> count(*) LIMIT 20;

-- name: audit_run_without_journal
-- Executions that were accepted without a word of it.
SELECT id AS place FROM run WHERE NOT EXISTS (SELECT 1 FROM journal WHERE run_id = run.id) LIMIT 20;

-- name: audit_open_steps_of_finished
-- Executions that are over although their last commit does not say so.
SELECT run.id AS place FROM run
JOIN journal ON run_id = run.id AND seq = (SELECT max(seq) FROM journal AS newest WHERE newest.run_id = run.id)
WHERE run.finished_at IS NOT NULL AND events NOT LIKE '%"finished"%' LIMIT 20;

-- name: audit_generation_skipped
-- Steps that ran again without having been opened again: generations are numbered from 0 without a gap.
SELECT run_id || ' step ' || position AS place FROM step
GROUP BY run_id, position HAVING max(generation) + 1 < count(*) LIMIT 20;

-- name: audit_child_without_parent
-- Executions that another one began which is not there.
SELECT id AS place FROM run
WHERE parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM run AS parent WHERE parent.id = run.parent_id) LIMIT 20;

-- name: audit_workflow_without_revision
-- Workflows and executions that are pinned to a version that is not there.
SELECT id AS place FROM run WHERE NOT EXISTS (SELECT 1 FROM revision WHERE hash = run.revision_hash)
UNION ALL
SELECT id FROM workflow WHERE NOT EXISTS (SELECT 1 FROM revision WHERE hash = workflow.revision_hash) LIMIT 20;

-- name: audit_two_for_one_key
-- Requests that came with one key and led to two executions.
SELECT made AS place FROM repeat GROUP BY made HAVING count(*) > 1 LIMIT 20;

-- name: audit_card_of_nothing
-- Messages that show an execution which is not there.
SELECT run_id AS place FROM chat_card WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = run_id) LIMIT 20;

-- name: audit_counts
-- What was looked at.
SELECT (SELECT count(*) FROM run) AS runs, (SELECT count(*) FROM run WHERE finished_at IS NULL) AS open,
       (SELECT count(*) FROM step) AS steps, (SELECT count(*) FROM journal) AS commits,
       (SELECT count(*) FROM file) AS files;

-- name: audit_files
-- The contents that files name.
SELECT DISTINCT digest, size FROM file;

-- name: audit_database
-- What the database itself says about its file.
-- sqlite: pages, indexes and types
PRAGMA quick_check(20);
-- postgres: it checks itself
SELECT 'ok' AS quick_check;
