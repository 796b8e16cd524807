-- name: insert_person
-- A new person; a name that is there already is refused.
INSERT INTO person (name, role, created_at)
VALUES ($1, $2, $3);

-- name: update_person
-- Gives a person another role.
UPDATE person SET role = $2 WHERE name = $1;

-- name: delete_person
-- Takes a person away, with what platforms call them and their code.
DELETE FROM person WHERE name = $1;

-- name: select_person
-- One person.
SELECT name, role, created_at FROM person WHERE name = $1;

-- name: select_people
-- Everybody, by name.
SELECT name, role, created_at FROM person ORDER BY name;

-- name: select_links
-- What platforms call everybody.
SELECT platform, workspace, user_id, person, shown, linked_at FROM person_link ORDER BY person, platform, workspace, user_id;

-- name: select_linked
-- The person whom a platform calls so.
SELECT person.name AS name, role, created_at FROM person_link JOIN person ON person.name = person_link.person
WHERE platform = $1 AND workspace = $2 AND user_id = $3;

-- name: select_linked_by
-- The person to whom an account was linked by this code.
SELECT person FROM person_link WHERE platform = $1 AND workspace = $2 AND user_id = $3 AND code = $4;

-- name: upsert_link
-- Says who somebody is; the newest code counts.
INSERT INTO person_link (platform, workspace, user_id, person, shown, code, linked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (platform, workspace, user_id) DO UPDATE
SET person = excluded.person, shown = excluded.shown, code = excluded.code, linked_at = excluded.linked_at;

-- name: delete_link
-- Takes back what a platform calls somebody.
DELETE FROM person_link WHERE platform = $1 AND workspace = $2 AND user_id = $3;

-- name: delete_links
-- Takes back everything that platforms call a person.
DELETE FROM person_link WHERE person = $1;

-- name: upsert_code
-- A new code of a person, in place of the one before.
INSERT INTO person_code (person, digest, expires_at)
VALUES ($1, $2, $3)
ON CONFLICT (person) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at;

-- name: select_code
-- Whose code this is, and how long it counts.
SELECT person, expires_at FROM person_code WHERE digest = $1;

-- name: delete_code
-- A code that was said counts no more.
DELETE FROM person_code WHERE digest = $1;

-- name: delete_code_of
-- The code of a person counts no more.
DELETE FROM person_code WHERE person = $1;

-- name: insert_guess
-- Somebody said a code that was none.
INSERT INTO person_guess (identity, at)
VALUES ($1, $2);

-- name: expire_guesses
-- Forgets what was guessed before a time.
DELETE FROM person_guess WHERE at < $1;

-- name: count_guesses
-- How often somebody guessed since a time, and how often all did.
SELECT count(*) AS everybody, coalesce(sum(identity = $1), 0) AS own FROM person_guess WHERE at >= $2;
