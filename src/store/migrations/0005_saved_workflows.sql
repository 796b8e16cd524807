-- Workflows that people save: they can be taken out of use, and are found by the name under which they are started.

ALTER TABLE workflow ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE workflow ADD COLUMN archived_at BIGINT;
CREATE INDEX workflow_in_use ON workflow (id) WHERE archived_at IS NULL;
