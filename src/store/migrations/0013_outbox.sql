-- What workflows tell people: every message stands here before anybody sends it. The key is that of the step that wrote it, so a
-- step that is repeated writes the same message. `position` is the order in which they were written; within one conversation
-- (platform, channel, thread) they go out in it.

CREATE TABLE outbox (
    key          TEXT PRIMARY KEY,
    position     BIGINT NOT NULL UNIQUE,
    platform     TEXT NOT NULL,
    channel      TEXT NOT NULL,
    thread       TEXT NOT NULL,
    message      TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    step         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'dead')),
    attempts     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    receipt      TEXT,
    fault        TEXT,
    created_at   BIGINT NOT NULL,
    since        BIGINT NOT NULL,
    settled_at   BIGINT,
    CHECK ((state = 'queued') = (settled_at IS NULL)),
    CHECK ((state = 'sent') = (receipt IS NOT NULL)),
    CHECK (state <> 'dead' OR fault IS NOT NULL)
);
CREATE INDEX outbox_queued ON outbox (platform, channel, thread, position) WHERE state = 'queued';
CREATE INDEX outbox_unsettled ON outbox (state, position) WHERE state <> 'sent';
CREATE INDEX outbox_by_age ON outbox (settled_at) WHERE settled_at IS NOT NULL;
