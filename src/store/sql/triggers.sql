-- name: upsert_trigger
-- Makes a trigger, or gives it what its workflow says now. What somebody switched stays switched.
INSERT INTO trigger_row (key, workflow_id, slug, name, kind, spec, managed, next_at, due_at, token, secret, created_at,
                         rev, seen_rev)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, 1)
ON CONFLICT (key) DO UPDATE
SET slug = excluded.slug, kind = excluded.kind, spec = excluded.spec, managed = excluded.managed,
    next_at = excluded.next_at, due_at = excluded.due_at, token = coalesce(trigger_row.token, excluded.token),
    secret = coalesce(trigger_row.secret, excluded.secret), removed_at = NULL, held = NULL, held_due = NULL,
    rev = trigger_row.rev + 1, seen_rev = trigger_row.rev + 1;

-- name: remove_trigger
-- Takes a trigger out of use; what came of it stays.
UPDATE trigger_row SET removed_at = $2, next_at = NULL, due_at = NULL, held = NULL, held_due = NULL, rev = rev + 1,
                       seen_rev = rev + 1
WHERE key = $1;

-- name: switch_trigger
-- Switches a trigger on or off, or pauses it; with when it is due then.
UPDATE trigger_row SET switched = $2, paused_until = $3, next_at = $4, due_at = $5, held = NULL, held_due = NULL,
                       rev = rev + 1, seen_rev = rev + 1
WHERE key = $1;

-- name: rotate_secret
-- Gives a trigger another secret; the old one counts until a time.
UPDATE trigger_row SET old_secret = secret, secret = $2, old_until = $3 WHERE key = $1;

-- name: advance_trigger
-- An instant is accounted for. Refused by the schema when the trigger was changed since it was read.
UPDATE trigger_row SET seen_rev = $2, next_at = $3, due_at = $4, last_at = coalesce($5, last_at) WHERE key = $1;

-- name: hold_trigger
-- Keeps an occurrence until later, in place of one that is kept already; or forgets it.
UPDATE trigger_row SET seen_rev = $2, held = $3, held_due = $4 WHERE key = $1;

-- name: let_go_trigger
-- What waited is dealt with. Something else that waits by now goes on waiting.
UPDATE trigger_row SET seen_rev = $2, held = NULL, held_due = NULL WHERE key = $1 AND held = $3;

-- name: retire_firing
-- What came so long ago no longer makes another one the same: its key becomes free.
UPDATE firing SET key = key || '@' || at WHERE key = $1 AND at < $2;

-- name: insert_firing
-- What came of an occurrence. The same key twice is refused.
INSERT INTO firing (key, trigger_key, at, nominal, until, count, verdict, reason, run_id, facts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: note_repeat
-- The same thing came once more.
UPDATE firing SET repeats = repeats + 1 WHERE key = $1;

-- name: expire_firings
-- Forgets what came of occurrences before a time.
DELETE FROM firing WHERE at < $1;

-- name: select_firing
-- What came of an occurrence.
SELECT key, trigger_key, at, nominal, until, count, verdict, reason, run_id, facts, repeats FROM firing WHERE key = $1;

-- name: select_firing_of_run
-- What started a run.
SELECT key, trigger_key, at, nominal, until, count, verdict, reason, run_id, facts, repeats FROM firing
WHERE run_id = $1 LIMIT 1;

-- name: select_firings
-- What came of the newest occurrences at a trigger.
SELECT key, trigger_key, at, nominal, until, count, verdict, reason, run_id, facts, repeats FROM firing
WHERE trigger_key = $1 ORDER BY at DESC, key DESC LIMIT $2;

-- name: count_started
-- How many runs a trigger has started since a time, and when the last one.
SELECT count(*) AS count, max(at) AS last FROM firing WHERE trigger_key = $1 AND at > $2 AND verdict = 'started';

-- name: count_taken
-- How many occurrences a trigger has started or asked about since a time; what somebody wanted expressly does not count.
SELECT count(*) AS count FROM firing
WHERE trigger_key = $1 AND at > $2 AND verdict IN ('started', 'asked', 'flooded') AND key NOT LIKE 'wanted:%';

-- name: select_open_of_trigger
-- Runs under way that a trigger started, newest first.
SELECT run.id AS id FROM firing JOIN run ON run.id = firing.run_id
WHERE firing.trigger_key = $1 AND firing.run_id IS NOT NULL AND run.finished_at IS NULL
ORDER BY firing.at DESC LIMIT 100;

-- name: select_trigger
-- One trigger by its key.
SELECT * FROM trigger_row WHERE key = $1;

-- name: select_trigger_by_token
-- The trigger with this address.
SELECT * FROM trigger_row WHERE token = $1 AND removed_at IS NULL;

-- name: select_triggers
-- All triggers in use, by their names.
SELECT * FROM trigger_row WHERE removed_at IS NULL ORDER BY slug, name, key LIMIT $1;

-- name: select_triggers_of_workflow
-- All triggers that a workflow ever had.
SELECT * FROM trigger_row WHERE workflow_id = $1 ORDER BY key;

-- name: select_triggers_of_kind
-- All triggers in use of a kind.
SELECT * FROM trigger_row WHERE kind = $1 AND removed_at IS NULL ORDER BY key;

-- name: select_due_triggers
-- Triggers whose time has come, the longest overdue first.
SELECT * FROM trigger_row WHERE due_at <= $1 ORDER BY due_at LIMIT $2;

-- name: select_held_triggers
-- Triggers with an occurrence whose time has come.
SELECT * FROM trigger_row WHERE held_due <= $1 ORDER BY held_due LIMIT $2;

-- name: select_next_due
-- When the next trigger is due.
SELECT min(due) AS due FROM (
    SELECT min(due_at) AS due FROM trigger_row WHERE due_at IS NOT NULL
    UNION ALL
    SELECT min(held_due) AS due FROM trigger_row WHERE held_due IS NOT NULL
) AS times;
