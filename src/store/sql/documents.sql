-- name: delete_documents_of_step
-- Forgets what a step stored before it is stored again; text, index and vectors go with it.
DELETE FROM document WHERE step_key = $1;

-- name: select_document_of_step
-- Whether a step has stored something.
SELECT id FROM document WHERE step_key = $1;

-- name: insert_document
-- A document, not yet found by searches.
INSERT INTO document (id, step_key, run_id, name, sha256, media_type, size, file_id, language, analysis, pages,
                      created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: insert_document_text
-- The text of a document; the schema indexes it.
INSERT INTO document_text (document_id, name, text)
VALUES ($1, $2, $3);

-- name: insert_document_chunk
-- A chunk and its vector.
INSERT INTO document_chunk (document_id, position, start, length, provider, model, dims, vector)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: complete_document
-- Everything of the document is there: searches may find it.
UPDATE document SET is_complete = 1 WHERE id = $1;

-- name: select_document
-- One document with its text.
SELECT document.id, document.name, sha256, media_type, size, language, analysis, created_at, text
FROM document JOIN document_text ON document_id = document.id
WHERE document.id = $1 AND is_complete = 1;

-- name: select_document_like
-- The first document with this content that another step stored.
SELECT id FROM document
WHERE sha256 = $1 AND step_key <> $2 AND is_complete = 1
ORDER BY created_at, id LIMIT 1;

-- name: select_runs_of_content
-- Runs that stored a document with this content, newest first; ten at the most.
SELECT run_id, name, created_at FROM document
WHERE sha256 = $1 AND is_complete = 1 ORDER BY created_at DESC, id DESC LIMIT 10;

-- name: select_documents_of_run
-- What an execution stored.
SELECT id, run_id, name, media_type, size, language, created_at FROM document
WHERE run_id = $1 AND is_complete = 1 ORDER BY id LIMIT $2;

-- name: select_documents
-- Documents, newest first, before a given id.
SELECT id, run_id, name, media_type, size, language, created_at FROM document
WHERE is_complete = 1 AND id < $1 ORDER BY id DESC LIMIT $2;

-- name: select_documents_by_words
-- Documents for a full-text query, best first; a word in the name counts twice. $3, $4 and $5 mark the found words
-- and what was left out of the snippet.
-- sqlite: the full-text index and its ranking are SQLite's own
SELECT document.id, run_id, document.name, language, created_at,
       snippet(document_index, 1, $3, $4, $5, 24) AS snippet
FROM document_index
JOIN document_text ON number = document_index.rowid
JOIN document ON document.id = document_id
WHERE document_index MATCH $1 AND is_complete = 1
ORDER BY bm25(document_index, 2.0, 1.0), document.id LIMIT $2;

-- name: select_vectors
-- Vectors of one model, in order of their number, from after a given one.
SELECT number, document_id, start, length, vector
FROM document_chunk JOIN document ON document.id = document_id
WHERE number > $1 AND provider = $2 AND model = $3 AND dims = $4 AND is_complete = 1
ORDER BY number LIMIT $5;

-- name: select_chunk
-- A document and the piece of its text that a vector stands for.
SELECT document.id, run_id, document.name, language, created_at, substr(text, $2 + 1, $3) AS snippet
FROM document JOIN document_text ON document_id = document.id
WHERE document.id = $1 AND is_complete = 1;

-- name: select_place
-- Where a piece of text stands in its document (from 1, 0 is nowhere), and where the pages begin.
-- sqlite: strpos elsewhere
SELECT instr(text, $2) AS place, pages
FROM document JOIN document_text ON document_id = document.id
WHERE document.id = $1;
