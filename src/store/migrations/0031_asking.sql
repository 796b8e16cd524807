-- What triggers of type `file` ask people, where more than an answer to one message has to be kept.

-- Places in which a trigger that asks starts by itself, because somebody said "always".
CREATE TABLE trigger_always (
    trigger_key TEXT NOT NULL,
    place       TEXT NOT NULL,
    said_by     TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (trigger_key, place)
);

-- Many files that came in a short while: one question for all of them. A place has one open question of each trigger.
CREATE TABLE flood (
    id          TEXT PRIMARY KEY,
    trigger_key TEXT NOT NULL,
    place       TEXT NOT NULL,
    opened_at   BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    message     TEXT,
    decision    TEXT,
    decided_by  TEXT,
    closed_at   BIGINT
);
CREATE UNIQUE INDEX flood_undecided ON flood (trigger_key, place) WHERE decision IS NULL AND closed_at IS NULL;
CREATE INDEX flood_open ON flood (opened_at) WHERE closed_at IS NULL;

-- The files of such a question. A file is in one question alone: its firing is its key.
CREATE TABLE flood_file (
    firing TEXT PRIMARY KEY,
    flood  TEXT NOT NULL REFERENCES flood (id),
    number BIGINT NOT NULL,
    name   TEXT NOT NULL,
    size   BIGINT NOT NULL,
    run_id TEXT
);
CREATE INDEX flood_file_by_flood ON flood_file (flood, number);
