-- Where a run waits for its turn: its concurrency group and its priority. JSON; most runs have none.

ALTER TABLE run ADD COLUMN lane TEXT;
