-- Requests that came with a key of their own, so that a repeat is answered and not done again. `made` is the id that
-- was promised before anything was made; without a status nobody was answered yet.

CREATE TABLE repeat (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    made        TEXT NOT NULL,
    status      BIGINT,
    body        TEXT,
    created_at  BIGINT NOT NULL,
    CHECK ((status IS NULL) = (body IS NULL))
);
CREATE INDEX repeat_by_age ON repeat (created_at);
