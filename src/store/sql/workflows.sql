-- name: insert_revision
-- Keeps a revision; one that is there already stays as it is, for its hash is its content.
INSERT INTO revision (hash, slug, source_name, source_text, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (hash) DO NOTHING;

-- name: upsert_workflow
-- Makes a workflow, or points it to another revision.
INSERT INTO workflow (id, name, slug, description, template, revision_hash, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, slug = excluded.slug, description = excluded.description, template = excluded.template,
    revision_hash = excluded.revision_hash, updated_at = excluded.updated_at;

-- name: insert_version
-- A workflow has another revision from now on; the same one again is no new version.
INSERT INTO version (workflow_id, revision_hash, at)
SELECT $1, $2, $3
WHERE $2 IS NOT (SELECT revision_hash FROM version WHERE workflow_id = $1
                            ORDER BY number DESC LIMIT 1);

-- name: select_versions
-- The versions of a workflow, newest first.
SELECT row_number() OVER (ORDER BY number) AS rev, revision_hash, at,
       (SELECT count(*) FROM run WHERE run.workflow_id = version.workflow_id
                                   AND run.revision_hash = version.revision_hash) AS runs
FROM version WHERE workflow_id = $1 ORDER BY number DESC LIMIT 200;

-- name: archive_workflow
-- Takes a workflow out of use. Its executions stay, and so does what they are pinned to.
UPDATE workflow SET archived_at = $2 WHERE id = $1;

-- name: select_revision
-- One revision by its hash.
SELECT hash, slug, source_name, source_text FROM revision WHERE hash = $1;

-- name: select_workflow
-- One workflow by its id.
SELECT id, name, slug, description, template, revision_hash, created_at, archived_at FROM workflow WHERE id = $1;

-- name: select_workflow_of_template
-- The workflow that stands for a template and this revision of it.
SELECT id, name, slug, description, template, revision_hash, created_at, archived_at FROM workflow
WHERE slug = $1 AND template = $1 ORDER BY id LIMIT 1;

-- name: select_workflow_by_slug
-- The newest workflow in use of this slug.
SELECT id, name, slug, description, template, revision_hash, created_at, archived_at FROM workflow
WHERE slug = $1 AND archived_at IS NULL ORDER BY id DESC LIMIT 1;

-- name: count_workflows
-- How many workflows are in use.
SELECT count(*) AS count FROM workflow WHERE archived_at IS NULL;

-- name: select_workflows
-- Workflows in use, newest first, before a given id.
SELECT id, name, slug, description, template, revision_hash, created_at, archived_at FROM workflow
WHERE archived_at IS NULL AND id < $1 ORDER BY id DESC LIMIT $2;
