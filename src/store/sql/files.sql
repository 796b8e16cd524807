-- name: insert_file
-- Records an uploaded file whose content is kept already.
INSERT INTO file (id, name, size, digest, media_type, created_at)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: select_file
-- One file by its id.
SELECT id, name, size, digest, media_type, created_at FROM file WHERE id = $1;

-- name: select_files_lately
-- The newest files: ids are in the order of time.
SELECT id, name, size, digest, media_type, created_at FROM file ORDER BY id DESC LIMIT $1;
