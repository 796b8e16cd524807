#!/usr/bin/env python3
"""Kills the program again and again while it reads documents, and looks whether anything was lost or done twice.

usage: crash.py PROGRAM FOLDER... [--documents 20] [--kills 50] [--seed 1] [--pause 3.0] [--keep DIR]

PROGRAM      the `workflow` binary
FOLDER       where documents are; searched to the bottom, except folders named `nasty` or `receipts`
--documents  how many documents are handed in; taken from all folders in turn, again from the start when they run out
--kills      how many times the process is killed with SIGKILL
--pause      the longest time between a start and its kill, in seconds; each is drawn evenly from 0 to this
--keep       keep the storage path here, to look into it

The documents are handed in with `run`; what dies before all of them are accepted hands in the rest at the next start.
Then the process is restarted at once after each kill, by chance as `resume` or as `serve`. When everything is completed
before all kills are spent, the documents are handed in once more. After the last kill `resume` goes on to the end.

At each kill the process and its children are first frozen, and it alone is killed: none of them may outlive it.
At the end the database itself is asked (read only, nothing else has it open):

  accepted    every id that was printed as `Workflow started:` is there                                         (I1)
  completed   every execution and every step of it ended as completed, with a document that searches can find
  repeated    no attempt of a step starts after that step was completed                                         (I4)
  settled     exactly one row for each step of each execution
  bounded     lost attempts <= kills x executions at a time; a step starts 1 + lost + retried times             (I7)
  ordered     the commits of an execution are numbered 1, 2, 3 ... without a gap                               (I12)
  folded      the last event of each journal says what the row of the execution says
  whole       SQLite finds the file in order

Prints a table and ends with code 1 when any of this does not hold. Standard library only; needs Linux (/proc).
"""
import argparse
import collections
import json
import os
import random
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

KINDS = (".pdf", ".docx", ".jpg", ".jpeg", ".png")  # what document_processing allows
AT_A_TIME = 5  # the program's default for executions side by side
CHILD_GRACE = 5.0  # seconds in which the children of a killed process must be gone


def documents(folders, count, rng):
    """From all folders in turn, each in an order of chance."""
    piles = []
    for folder in folders:
        pile = []
        for place, inner, names in os.walk(folder):
            inner[:] = sorted(name for name in inner if name not in ("nasty", "receipts"))
            pile += [os.path.abspath(os.path.join(place, name)) for name in names if name.lower().endswith(KINDS)]
        pile.sort()
        rng.shuffle(pile)
        piles.append(pile)
    if not any(piles):
        sys.exit("crash.py: no documents in " + ", ".join(folders))
    chosen = []
    while len(chosen) < count:
        turn = len(chosen)
        pile = [pile for pile in piles if pile][turn % sum(map(bool, piles))]
        chosen.append(pile[turn // sum(map(bool, piles)) % len(pile)])
    return chosen


def environment(storage):
    """This one's, with nothing in it that would set the program otherwise than its defaults."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WORKFLOW_")}
    return {**kept, "WORKFLOW_STORAGE_PATH": storage, "WORKFLOW_LISTEN": "127.0.0.1:0"}


class Process:
    """One life of the program."""

    def __init__(self, program, storage, args):
        self.began = time.time()
        self.printed = []
        self.said = collections.deque(maxlen=40)
        self.child = subprocess.Popen(
            [program] + args, env=environment(storage), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.child.stderr:
            self.said.append(line.rstrip())
            started = re.match(r"Workflow started: (\S+)$", line)
            if started and line.endswith("\n"):
                self.printed.append(started.group(1))

    def wait(self, seconds):
        """Its exit code, or None when it is still there after this time."""
        try:
            code = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.reader.join()
        return code

    def kill(self):
        """Ends it, and it alone, as hard as a machine can; says how many of its children were left, and were there."""
        self.child.send_signal(signal.SIGSTOP)
        family = descendants(self.child.pid)
        for one in family:
            tell(one, signal.SIGSTOP)  # so that none of them ends by itself
        self.child.kill()
        self.child.wait()
        self.reader.join()
        for one in family:
            if being_started(one, self.child.args[0]):
                tell(one, signal.SIGCONT)  # it finds out by itself that it is alone
        ends = time.monotonic() + CHILD_GRACE
        while (left := [one for one in family if alive(one)]) and time.monotonic() < ends:
            time.sleep(0.01)
        for one in left:
            tell(one, signal.SIGKILL)
        return len(left), len(family)


def stat(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return {"state": fields[0], "parent": int(fields[1]), "birth": fields[19]}


def descendants(root):
    """All processes below this one, as pairs of id and birth."""
    children = collections.defaultdict(list)
    for name in os.listdir("/proc"):
        found = stat(name) if name.isdigit() else None
        if found:
            children[found["parent"]].append((int(name), found["birth"]))
    family, open_ones = [], [root]
    while open_ones:
        below = children[open_ones.pop()]
        family += below
        open_ones += [pid for pid, _ in below]
    return family


def alive(process):
    pid, birth = process
    found = stat(pid)
    return bool(found) and found["birth"] == birth and found["state"] not in "ZX"


def tell(process, what):
    if alive(process):
        os.kill(process[0], what)


def being_started(process, program):
    """Whether it stands before the call that binds its life to its parent's."""
    try:
        with open(f"/proc/{process[0]}/cmdline", encoding="utf-8", errors="replace") as file:
            line = file.read()
    except OSError:
        return False
    return "--pdeathsig" in line or program in line


class Trial:
    def __init__(self, options, storage):
        self.options, self.storage = options, storage
        self.rng = random.Random(options.seed)
        self.documents = documents(options.folders, options.documents, self.rng)
        self.printed, self.deaths, self.births = [], [], []
        self.left_over = self.children = self.rounds = 0

    def start(self, *args):
        process = Process(self.options.program, self.storage, list(args))
        self.births.append(process.began)
        return process

    def run(self):
        waiting = []
        while len(self.deaths) < self.options.kills:
            if not waiting and self.nothing_open():
                waiting = list(self.documents)
                self.rounds += 1
            waiting = self.one_life(waiting)
        while waiting:
            files = [word for file in waiting for word in ("--file", file)]
            process = self.start("run", "document_processing", *files)
            self.must_end(process)
            self.printed += process.printed
            waiting = []
        self.must_end(self.start("resume"))

    def one_life(self, waiting):
        """A start, and its death unless it is done before; gives the documents that are still to be handed in."""
        if waiting:
            process = self.start("run", "document_processing", *[w for file in waiting for w in ("--file", file)])
        else:
            process = self.start(self.rng.choice(["resume", "serve"]))
        code = process.wait(self.rng.uniform(0, self.options.pause))
        if code is None:
            left, children = process.kill()
            self.left_over += left
            self.children += children
            self.deaths.append(time.time())
        elif code not in (0, 1):
            sys.exit(f"crash.py: ended with {code}:\n" + "\n".join(process.said))
        self.printed += process.printed
        return waiting[len(process.printed):]

    def must_end(self, process):
        if process.wait(900) is None:
            process.kill()
            sys.exit("crash.py: it hangs; the last that it said:\n" + "\n".join(process.said))

    def nothing_open(self):
        """Asked from the program itself: the database is not to be opened beside a restart."""
        asked = subprocess.run(
            [self.options.program, "history", "--json", "--limit", "1000"], capture_output=True, text=True,
            env=environment(self.storage), check=True)
        rows = [json.loads(line) for line in asked.stdout.splitlines()]
        return all(row["finished_at"] for row in rows)


class Audit:
    """What the database says in the end."""

    def __init__(self, trial):
        self.trial, self.wrong = trial, []
        path = os.path.join(trial.storage, "workflow.db")
        self.db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.runs = dict(self.db.execute("SELECT id, status FROM run"))
        self.repeated = self.lost = self.starts = self.retried = self.stops = self.completed_steps = 0
        self.most_lost = 0
        self.commits = sorted(at / 1e6 for (at,) in self.db.execute("SELECT at FROM journal"))

    def check(self):
        for run in self.trial.printed:
            if run not in self.runs:
                self.say(f"{run} was accepted and is gone")
        for run, status in self.runs.items():
            if status != "completed":
                fault = self.db.execute("SELECT fault FROM run WHERE id = ?", (run,)).fetchone()[0]
                self.say(f"{run} is {status}: {fault}")
            self.journal(run, status)
        bound = self.bound()
        if self.lost > bound:
            self.say(f"{self.lost} lost attempts, at the most {bound} were in flight")
        for answer in self.db.execute("PRAGMA integrity_check").fetchall() + self.db.execute(
                "PRAGMA foreign_key_check").fetchall():
            if answer != ("ok",):
                self.say(f"SQLite says: {answer}")
        if self.trial.left_over:
            self.say(f"{self.trial.left_over} children outlived the process that had started them")

    def bound(self):
        return len(self.trial.deaths) * AT_A_TIME

    def journal(self, run, status):
        rows = self.db.execute("SELECT seq, events FROM journal WHERE run_id = ? ORDER BY seq", (run,)).fetchall()
        if [seq for seq, _ in rows] != list(range(1, len(rows) + 1)):
            self.say(f"{run}: its commits are numbered {[seq for seq, _ in rows]}")
        steps = collections.defaultdict(collections.Counter)
        last = None
        for _, event in (entry for _, events in rows for entry in json.loads(events)):
            name, facts = (event, {}) if isinstance(event, str) else next(iter(event.items()))
            last = (name, facts)
            step = steps[facts["step"]] if "step" in facts else None
            if name == "step_started":
                step["started"] += 1
                if step["completed"]:
                    self.repeated += 1
                    self.say(f"{run}: step {facts['step']} started after it was completed")
            elif name == "step_succeeded":
                step["completed"] += 1
            elif name == "step_interrupted":
                step["lost" if facts["lost"] else "stopped"] += 1
            elif name == "step_retrying":
                step["retried"] += 1
        if last != ("finished", {"outcome": status}):
            self.say(f"{run}: the row says {status}, the journal ends with {last}")
        self.settled(run, status, steps)

    def settled(self, run, status, steps):
        rows = self.db.execute("SELECT position, generation, status FROM step WHERE run_id = ?", (run,)).fetchall()
        if status == "completed" and sorted(rows) != [(place, 0, "completed") for place in range(len(steps))]:
            self.say(f"{run}: its steps are kept as {sorted(rows)}")
        found = self.db.execute("SELECT count(*) FROM document WHERE run_id = ? AND is_complete = 1", (run,)).fetchone()
        if status == "completed" and found != (1,):
            self.say(f"{run}: {found[0]} documents can be found, not one")
        for place, step in steps.items():
            self.completed_steps += step["completed"]
            for count in ("started", "lost", "stopped", "retried"):
                name = {"started": "starts", "stopped": "stops"}.get(count, count)
                setattr(self, name, getattr(self, name) + step[count])
            self.most_lost = max(self.most_lost, step["lost"])
            if step["lost"] > len(self.trial.deaths):
                self.say(f"{run}: step {place} was lost {step['lost']} times, killed was {len(self.trial.deaths)} times")
            if step["started"] > 1 + step["lost"] + step["stopped"] + step["retried"]:
                self.say(f"{run}: step {place} started {step['started']} times: {dict(step)}")

    def recoveries(self):
        """Seconds from each restart to the first event that it committed, where it lived long enough for one."""
        times = []
        for index, birth in enumerate(self.trial.births[1:], 1):
            ends = self.trial.births[index + 1] if index + 1 < len(self.trial.births) else float("inf")
            first = next((at for at in self.commits if birth < at < ends), None)
            if first:
                times.append(first - birth)
        return sorted(times)

    def say(self, text):
        self.wrong.append(text)

    def table(self, seconds):
        trial, times = self.trial, self.recoveries()
        done = sum(status == "completed" for status in self.runs.values())
        rows = [
            ("kills", f"{len(trial.deaths)} (seed {trial.options.seed}, {trial.options.pause} s apart at the most)"),
            ("documents", f"{len(trial.documents)}, handed in {trial.rounds} times"),
            ("executions accepted aloud", f"{len(trial.printed)}"),
            ("executions completed", f"{done} of {len(self.runs)}"),
            ("completed steps", f"{self.completed_steps}"),
            ("completed steps repeated", f"{self.repeated}"),
            ("lost attempts", f"{self.lost} (bound {self.bound()}); of one step {self.most_lost} at the most"),
            ("extra starts", f"{self.starts - self.completed_steps} = {self.lost} lost + {self.retried} retried"
                             f" + {self.stops} stopped"),
            ("children at the kills", f"{trial.children}, left alive {trial.left_over}"),
            ("restart to first commit*", f"median {1000 * statistics.median(times):.0f} ms,"
                                        f" worst {1000 * times[-1]:.0f} ms of {len(times)}" if times else "none"),
            ("time", f"{seconds:.0f} s"),
            ("violations", f"{len(self.wrong)}"),
        ]
        width = max(len(name) for name, _ in rows)
        print("\n".join(f"{name:<{width}}  {value}" for name, value in rows))
        print("* where only suspects are left, with the time that they wait by rule")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=3.0)
    parser.add_argument("--keep", metavar="DIR")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        storage = os.path.abspath(options.keep or folder)
        if os.path.exists(os.path.join(storage, "workflow.db")):
            sys.exit(f"crash.py: there is a store in {storage} already")
        began = time.monotonic()
        trial = Trial(options, storage)
        trial.run()
        audit = Audit(trial)
        audit.check()
        audit.table(time.monotonic() - began)
    for text in audit.wrong:
        print("violation: " + text, file=sys.stderr)
    return 1 if audit.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
