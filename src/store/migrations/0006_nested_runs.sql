-- Runs that other runs began and wait for.

ALTER TABLE run ADD COLUMN parent_id TEXT;
CREATE INDEX run_by_parent ON run (parent_id, id) WHERE parent_id IS NOT NULL;
