#!/usr/bin/env python3
"""How late schedules start when ten thousand of them are due close together, and what they cost while nothing is due.

usage: schedules.py PROGRAM [--schedules 10000] [--within 30] [--idle 30]

PROGRAM      the `workflow` binary
--schedules  how many; fifty to a workflow
--within     their instants lie within so many seconds
--idle       so many seconds of the service's CPU are measured once all have started

Prints lateness (the start of the execution behind its instant) as percentiles, and CPU in per cent of one core. Ends with
code 1 when an instant has no execution, or one has two. Standard library only; needs Linux.
"""
import argparse
import datetime
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

from kills import Service, free_port

A_WORKFLOW = 50


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program")
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--within", type=int, default=30)
    parser.add_argument("--idle", type=float, default=30)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="workflow-schedules-")
    service = Service(os.path.abspath(args.program), os.path.join(folder, "store"), free_port(), free_port())
    service.begin()
    ahead = 20 + args.schedules * 0.006  # what making them takes, with room for a busy machine
    first = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=ahead)
    began = time.monotonic()
    for start in range(0, args.schedules, A_WORKFLOW):
        triggers = []
        for number in range(start, min(start + A_WORKFLOW, args.schedules)):
            due = first + datetime.timedelta(seconds=number % args.within)
            cron = f"{due.second} {due.minute} {due.hour} * * *"
            triggers.append({"id": f"s{number}", "type": "schedule", "cron": cron, "tz": "UTC", "overlap": "allow"})
        name = f"Etl {start // A_WORKFLOW}"
        definition = json.dumps({"name": name, "steps": [{"type": "noop"}], "triggers": triggers})
        status, answer = service.insist("POST", "/api/workflow/create", {"name": name, "definition": definition})
        if status != 200:
            sys.exit(f"schedules.py: {name}: {answer}")
    made = time.monotonic() - began
    if made > ahead - 2:
        sys.exit(f"schedules.py: making them took {made:.0f} s, the first were due before")
    time.sleep(max(0, first.timestamp() - time.time()) + args.within + 2)

    store = sqlite3.connect(f"file:{service.storage}/workflow.db?mode=ro", uri=True)
    count = "SELECT count(*) FROM firing WHERE verdict = 'started'"
    until = time.monotonic() + 60
    while store.execute(count).fetchone()[0] < args.schedules and time.monotonic() < until:
        time.sleep(0.5)
    late = [late for (late,) in store.execute(
        "SELECT (run.created_at - firing.nominal) / 1e6 FROM firing JOIN run ON run.id = firing.run_id ORDER BY 1")]
    runs = store.execute("SELECT count(*) FROM run").fetchone()[0]
    before = cpu_seconds(service.child.pid)
    time.sleep(args.idle)
    idle = (cpu_seconds(service.child.pid) - before) / args.idle
    service.stop()
    at = lambda share: late[min(len(late) - 1, int(len(late) * share))] if late else float("nan")
    print(f"schedules            {args.schedules}, made in {made:.1f} s")
    print(f"started              {len(late)}, executions {runs}")
    print(f"late                 p50 {at(0.5) * 1000:.0f} ms, p99 {at(0.99) * 1000:.0f} ms, worst {at(1) * 1000:.0f} ms")
    print(f"CPU, nothing due     {idle * 100:.2f} % of a core")
    fine = len(late) == runs == args.schedules
    if fine:
        subprocess.run(["rm", "-rf", folder], check=False)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
