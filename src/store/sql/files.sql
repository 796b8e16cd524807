-- name: insert_file
-- Records an uploaded file whose content is kept already.
INSERT INTO file (id, name, size, digest, media_type, created_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each($1);

-- name: select_file
-- One file by its id.
SELECT id, name, size, digest, media_type, created_at FROM file WHERE id = $1;
