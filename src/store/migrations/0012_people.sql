-- People, what platforms call them, the codes with which they say so, and who did what.

CREATE TABLE person (
    name       TEXT PRIMARY KEY,
    role       TEXT NOT NULL CHECK (role IN ('none', 'viewer', 'runner', 'operator', 'editor', 'admin')),
    created_at BIGINT NOT NULL
);

-- What a platform calls somebody. `workspace` is empty where the platform's ids are the same everywhere. `code` is the digest
-- of the code that said so, for whoever says it twice.
CREATE TABLE person_link (
    platform  TEXT NOT NULL,
    workspace TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    person    TEXT NOT NULL REFERENCES person (name) ON DELETE CASCADE,
    shown     TEXT NOT NULL,
    code      TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (platform, workspace, user_id)
);
CREATE INDEX person_link_by_person ON person_link (person);

-- A code is known by its digest alone. A person has one at a time, and it goes when it is used.
CREATE TABLE person_code (
    person     TEXT PRIMARY KEY REFERENCES person (name) ON DELETE CASCADE,
    digest     TEXT NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);

-- Codes that were said and were none: who guesses is stopped.
CREATE TABLE person_guess (
    identity TEXT NOT NULL,
    at       BIGINT NOT NULL
);
CREATE INDEX person_guess_by_time ON person_guess (at);

-- Who did what, or was not let to; later ones sort behind earlier ones.
CREATE TABLE trail (
    id       TEXT PRIMARY KEY,
    at       BIGINT NOT NULL,
    identity TEXT NOT NULL,
    name     TEXT NOT NULL,
    door     TEXT NOT NULL,
    channel  TEXT,
    message  TEXT,
    said     TEXT,
    verb     TEXT NOT NULL,
    about    TEXT,
    allowed  BIGINT NOT NULL CHECK (allowed IN (0, 1)),
    rule     TEXT NOT NULL
);
CREATE INDEX trail_by_identity ON trail (identity, id);
CREATE INDEX trail_by_time ON trail (at);
