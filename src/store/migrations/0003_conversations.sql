-- Conversations: what was said and answered, which message shows which execution, and what was heard already.

CREATE TABLE chat_channel (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('channel', 'direct')),
    member     TEXT,
    created_at BIGINT NOT NULL,
    CHECK ((kind = 'direct') = (member IS NOT NULL))
);

-- `posted` is the number under which a message came, `seq` that of its last change: a reader who has seen everything
-- up to a number asks for what is above it, and gets new and changed messages alike.
CREATE TABLE chat_message (
    id          TEXT PRIMARY KEY,
    channel     TEXT NOT NULL REFERENCES chat_channel (id),
    posted      BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    thread      TEXT,
    author      TEXT NOT NULL,
    author_kind TEXT NOT NULL CHECK (author_kind IN ('person', 'workflow')),
    at          BIGINT NOT NULL,
    edited_at   BIGINT,
    text        TEXT NOT NULL,
    card        TEXT,
    files       TEXT NOT NULL,
    visible_to  TEXT,
    client_id   TEXT,
    UNIQUE (channel, seq)
);
CREATE UNIQUE INDEX chat_message_posted ON chat_message (channel, posted);

-- Whatever came in, by the key that the same thing has when it comes again.
CREATE TABLE chat_inbound (
    key   TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('new', 'begun', 'done')),
    said  TEXT NOT NULL,
    at    BIGINT NOT NULL
);
CREATE INDEX chat_inbound_open ON chat_inbound (at) WHERE state <> 'done';
CREATE INDEX chat_inbound_by_age ON chat_inbound (at);

-- The one message of an execution. What it should show is the execution's newest event; `sent` is the one it shows.
CREATE TABLE chat_card (
    run_id     TEXT PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    platform   TEXT NOT NULL,
    channel    TEXT NOT NULL,
    thread     TEXT,
    requester  TEXT NOT NULL,
    message    TEXT,
    sent       BIGINT NOT NULL DEFAULT 0,
    is_final   BIGINT NOT NULL DEFAULT 0 CHECK (is_final IN (0, 1)),
    created_at BIGINT NOT NULL,
    CHECK (message IS NOT NULL OR (sent = 0 AND is_final = 0))
);
CREATE INDEX chat_card_open ON chat_card (run_id) WHERE is_final = 0;
CREATE INDEX chat_card_in ON chat_card (platform, channel, run_id);

-- The latest list that somebody was shown, so that `#3` means its third line.
CREATE TABLE chat_listing (
    place TEXT PRIMARY KEY,
    items TEXT NOT NULL,
    at    BIGINT NOT NULL
);

-- Keys that this instance made for itself.
CREATE TABLE chat_key (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
