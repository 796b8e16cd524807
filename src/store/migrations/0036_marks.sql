-- How far something that goes through the past has come, so that the next life goes on from there.

CREATE TABLE mark (
    name TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
);
