-- Documents, their text, and the indexes over it. A document belongs to the step that stored it: a repeat of that
-- step finds its key taken, and replaces the row and all that hangs on it. No row here refers to a run: documents
-- outlive the runs that brought them.

CREATE TABLE document (
    id          TEXT PRIMARY KEY,
    step_key    TEXT NOT NULL UNIQUE,
    run_id      TEXT NOT NULL,
    name        TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    media_type  TEXT,
    size        BIGINT,
    file_id     TEXT,
    language    TEXT,
    analysis    TEXT,
    pages       TEXT NOT NULL,
    is_complete BIGINT NOT NULL DEFAULT 0 CHECK (is_complete IN (0, 1)),
    created_at  BIGINT NOT NULL
);
CREATE INDEX document_by_content ON document (sha256, created_at);

-- sqlite: the number is the row's own address, which the full-text index refers to
CREATE TABLE document_text (
    number      INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL UNIQUE REFERENCES document (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    text        TEXT NOT NULL
);

-- A vector stands for `length` characters of the text from `start` on, and says which model made it.
CREATE TABLE document_chunk (
    number      INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,
    start       BIGINT NOT NULL,
    length      BIGINT NOT NULL,
    provider    TEXT NOT NULL,
    model       TEXT NOT NULL,
    dims        BIGINT NOT NULL,
    vector      BLOB NOT NULL CHECK (length(vector) = 4 * dims),
    UNIQUE (document_id, position)
);

-- The index keeps no copy of the text. The triggers keep it in step, whoever writes.
CREATE VIRTUAL TABLE document_index USING fts5 (
    name, text, content = 'document_text', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER document_text_indexed AFTER INSERT ON document_text BEGIN
    INSERT INTO document_index (rowid, name, text) VALUES (new.number, new.name, new.text);
END;
CREATE TRIGGER document_text_unindexed AFTER DELETE ON document_text BEGIN
    INSERT INTO document_index (document_index, rowid, name, text) VALUES ('delete', old.number, old.name, old.text);
END;
CREATE TRIGGER document_text_reindexed AFTER UPDATE ON document_text BEGIN
    INSERT INTO document_index (document_index, rowid, name, text) VALUES ('delete', old.number, old.name, old.text);
    INSERT INTO document_index (rowid, name, text) VALUES (new.number, new.name, new.text);
END;
-- all:
