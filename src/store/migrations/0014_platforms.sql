-- What platforms with rules of their own need: actions whose buttons carry only a short text, what an adapter remembers
-- between two lives of the process, and what of a card was also said in a message of its own.

CREATE TABLE chat_action (
    short TEXT PRIMARY KEY,
    action TEXT NOT NULL,
    at INTEGER NOT NULL
);

CREATE TABLE chat_note (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at INTEGER NOT NULL
);

ALTER TABLE chat_card ADD COLUMN told TEXT NOT NULL DEFAULT '';
