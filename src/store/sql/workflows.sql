-- name: insert_revision
-- Keeps a revision; one that is there already stays as it is, for its hash is its content.
-- (the WHERE keeps SQLite from reading ON CONFLICT as a join clause)
INSERT INTO revision (hash, slug, source_name, source_text, created_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each($1) WHERE true
ON CONFLICT (hash) DO NOTHING;

-- name: upsert_workflow
-- Makes a workflow, or points it to another revision.
INSERT INTO workflow (id, name, slug, template, revision_hash, created_at, updated_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 5
FROM json_each($1) WHERE true
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, revision_hash = excluded.revision_hash, updated_at = excluded.updated_at;

-- name: select_revision
-- One revision by its hash.
SELECT hash, slug, source_name, source_text FROM revision WHERE hash = $1;

-- name: select_workflow
-- One workflow by its id.
SELECT id, name, slug, template, revision_hash, created_at FROM workflow WHERE id = $1;

-- name: select_workflow_of_template
-- The workflow that stands for a template and this revision of it.
SELECT id, name, slug, template, revision_hash, created_at FROM workflow
WHERE slug = $1 AND template = $1 ORDER BY id LIMIT 1;

-- name: select_workflows
-- All workflows, newest first.
SELECT id, name, slug, template, revision_hash, created_at FROM workflow ORDER BY id DESC LIMIT $1;
