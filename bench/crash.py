#!/usr/bin/env python3
"""Kills a run of many documents again and again, at random moments, and counts what was lost or done twice.

usage: crash.py PROGRAM FOLDER [--documents 20] [--kills 50] [--seed 1]

PROGRAM  the `workflow` binary
FOLDER   documents; files are taken in the order of their names, again from the first when there are too few

The process gets SIGKILL at a random moment and is started again at once (`workflow resume`); when all kills are spent
it may run to the end. Then the journal of each execution is read: everything accepted must be completed, no step may
start again after it was completed, and the numbers must have no gap. Ends with code 1 on a violation.
Standard library only.
"""
import argparse
import collections
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

TYPES = (".pdf", ".png", ".jpg", ".docx")


def children_of(pid):
    said = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    found = [int(word) for word in said.split()]
    return found + [grandchild for child in found for grandchild in children_of(child)]


def accepted(log):
    with open(log, encoding="utf-8", errors="replace") as lines:
        return {line.split(": ", 1)[1].strip() for line in lines if line.startswith("Workflow started: ")}


def kill_again_and_again(options, files, home):
    chance = random.Random(options.seed)
    command = [options.program, "run", "document_processing", "--file", *files]
    log = os.path.join(home, "log")
    orphans = kills = 0
    while True:
        with open(log, "ab") as errors:
            process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=errors)
        command = [options.program, "resume"]
        if kills == options.kills:
            return process.wait(), kills, orphans, log
        try:
            process.wait(timeout=chance.uniform(0.05, options.longest))
            if len(accepted(log)) == len(files):
                return process.returncode, kills, orphans, log
        except subprocess.TimeoutExpired:
            tools = children_of(process.pid)
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline and any(os.path.exists(f"/proc/{tool}") for tool in tools):
                time.sleep(0.01)
            orphans += sum(os.path.exists(f"/proc/{tool}") for tool in tools)


def read_journal(home):
    """Per execution: status, events in order, whether the numbers have no gap."""
    database = sqlite3.connect(os.path.join(home, "workflows", "workflow.db"))
    for run, status in database.execute("SELECT id, status FROM run ORDER BY id").fetchall():
        rows = database.execute("SELECT seq, events FROM journal WHERE run_id = ? ORDER BY seq", (run,)).fetchall()
        whole = [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
        events = [event for _, text in rows for _, event in json.loads(text)]
        steps = database.execute("SELECT count(*), count(DISTINCT position) FROM step WHERE run_id = ?", (run,)).fetchone()
        yield run, status, events, whole and steps[0] == steps[1]


def judge(home):
    sums = collections.Counter()
    for run, status, events, whole in read_journal(home):
        sums["executions"] += 1
        sums[status] += 1
        sums["journals with a gap"] += not whole
        done = set()
        for event in events:
            if event == "queued" or not isinstance(event, dict):
                continue
            (name, facts), = event.items()
            if name == "step_started":
                sums["starts"] += 1
                sums["completed steps started again"] += facts["step"] in done
            elif name == "step_succeeded":
                sums["completed steps"] += 1
                done.add(facts["step"])
            elif name == "step_interrupted":
                sums["lost attempts"] += facts["lost"]
    return sums


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=2.0, help="seconds that a process lives at the most")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    found = sorted(os.path.join(path, name) for path, _, names in os.walk(options.folder) for name in names)
    found = [os.path.abspath(file) for file in found if file.endswith(TYPES) and "nasty" not in file]
    files = (found * options.documents)[:options.documents]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as home:
        code, kills, orphans, log = kill_again_and_again(options, files, home)
        promised = accepted(log)
        sums = judge(home)
        known = {run for run, *_ in read_journal(home)}
        if sums["completed"] != sums["executions"]:
            with open(log, encoding="utf-8", errors="replace") as lines:
                sys.stderr.write(lines.read()[-2000:])
    rows = [("documents", len(files)), ("kills", kills), ("executions accepted", len(promised)),
            ("accepted and lost", len(promised - known)), ("executions completed", sums["completed"]),
            ("executions ended otherwise", sums["executions"] - sums["completed"]),
            ("steps completed", sums["completed steps"]),
            ("completed steps started again", sums["completed steps started again"]),
            ("attempts lost in a crash and made again", sums["lost attempts"]),
            ("journals with a gap or a doubled step", sums["journals with a gap"]),
            ("child processes left after a kill", orphans), ("seconds", round(time.monotonic() - started, 1))]
    for name, value in rows:
        print(f"{name:<42} {value}")
    broken = [sums["completed steps started again"], sums["journals with a gap"], orphans, len(promised - known),
              sums["executions"] - sums["completed"], kills - options.kills if code == 0 else code]
    return 1 if any(broken) else 0


if __name__ == "__main__":
    sys.exit(main())
