-- What steps gave, under a hash of what they were made of.

CREATE TABLE cache (
    key        TEXT PRIMARY KEY,
    run_id     TEXT NOT NULL,
    outputs    TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX cache_by_age ON cache (expires_at);
