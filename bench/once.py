#!/usr/bin/env python3
"""Delivers every key four times, in any order, while the service is killed: each key must start exactly one execution.

usage: once.py PROGRAM [--keys 10000] [--times 4] [--kills 20] [--longest 1.5] [--seed 1] [--keep DIR]

PROGRAM    the `workflow` binary
--keys     how many things happen: events and requests to a webhook's address, in turn
--times    how often each is delivered
--kills    how many times the service is killed with SIGKILL, spread over the deliveries
--longest  the longest time between a start and its kill, in seconds; drawn evenly from 0.05 to this

Senders behave as real ones do: whoever gets no answer sends again, and one in twenty hangs up before the answer
and sends again. So a key comes *at least* `--times` times. Afterwards the store is asked:

  started     keys that have an execution                                          (all)
  executions  all there are                                                        (as many as keys)
  double      keys with two executions, executions without a key                   (0)
  unheard     deliveries that were answered and that no row of the trigger counts  (0)
  unsound     what `workflow doctor` finds                                         (0)

Prints a table and ends with code 1 when any of this does not hold. Standard library only; needs Linux.
"""
import argparse
import collections
import concurrent.futures
import http.client
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from kills import Service, free_port

SENDERS = 8
TRIGGERS = {"Heard": {"id": "e", "type": "event", "name": "thing"},
            "Called": {"id": "h", "type": "webhook", "auth": "token"}}


class Sender(threading.local):
    """One connection for each thread, opened again when it broke."""

    connection = None

    def send(self, port, path, headers, body, hang_up):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
            self.connection.request("POST", path, body, {"content-type": "application/json", **headers})
            if hang_up:
                self.close()
                return None
            answer = self.connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            self.close()
            return None

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Load:
    def __init__(self, service, path, rng):
        self.service, self.path, self.rng, self.sender = service, path, rng, Sender()
        self.sent, self.answered = 0, collections.Counter()
        self.lock = threading.Lock()

    def deliver(self, key):
        """Sends this key until it is answered."""
        name, body = f"k{key}", json.dumps({"key": key})
        path, headers = self.path, {"x-github-delivery": name}
        if key % 2 == 0:
            path, headers = "/api/events", {}
            body = json.dumps({"name": "thing", "source": "bench", "id": name, "data": {"key": key}})
        while True:
            hang_up = self.rng.random() < 0.05
            status = self.sender.send(self.service.port, path, headers, body, hang_up)
            with self.lock:
                self.sent += 1
            if status is not None and status < 300:
                with self.lock:
                    self.answered[key] += 1
                return
            if status is not None and status not in (409, 429, 503):
                raise RuntimeError(f"{name}: {status}")
            time.sleep(0.01)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program")
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--longest", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    folder = args.keep or tempfile.mkdtemp(prefix="workflow-once-")
    os.makedirs(folder, exist_ok=True)
    service = Service(os.path.abspath(args.program), os.path.join(folder, "store"), free_port(), free_port())
    service.begin()
    for name, trigger in TRIGGERS.items():
        definition = json.dumps({"name": name, "steps": [{"type": "noop"}], "triggers": [trigger]})
        status, answer = service.insist("POST", "/api/workflow/create", {"name": name, "definition": definition})
        if status != 200:
            sys.exit(f"once.py: {name}: {answer}")
    path = service.insist("GET", "/api/triggers/show?name=called/h")[1]["path"]

    deliveries = [key for key in range(args.keys) for _ in range(args.times)]
    rng.shuffle(deliveries)
    load, began, over = Load(service, path, rng), time.monotonic(), threading.Event()

    def kill():
        for _ in range(args.kills):
            if over.wait(rng.uniform(0.05, args.longest)):
                return
            service.kill()
            service.begin()

    killer = threading.Thread(target=kill)
    killer.start()
    with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
        for done in [pool.submit(load.deliver, key) for key in deliveries]:
            done.result()
    over.set()
    killer.join()
    took = time.monotonic() - began
    kills = len(service.recoveries) - 1
    while any(service.insist("GET", f"/api/workflow/history?status={status}&limit=1")[1]["executions"]
              for status in ("queued", "running")):
        time.sleep(0.2)
    service.stop()
    doctor = subprocess.run([service.program, "doctor"], env=service.environment, capture_output=True, text=True)

    store = sqlite3.connect(f"file:{service.storage}/workflow.db?mode=ro", uri=True)
    runs = dict(store.execute("SELECT id, status FROM run"))
    keyed = collections.defaultdict(set)
    heard = collections.Counter()
    for facts, run, repeats in store.execute("SELECT facts, run_id, repeats FROM firing"):
        facts = json.loads(facts)
        key = (facts.get("data") or facts.get("body"))["key"]
        keyed[key].add(run)
        heard[key] += 1 + repeats
    double = sum(len(found) - 1 for found in keyed.values()) + len(set(runs) - set().union(*keyed.values()))
    unheard = sum(max(0, count - heard[key]) for key, count in load.answered.items())
    rows = [
        ("keys", args.keys, ""),
        ("deliveries sent", load.sent, f">= {args.keys * args.times}"),
        ("kills", kills, ""),
        ("started", sum(1 for found in keyed.values() if None not in found), args.keys),
        ("executions", len(runs), args.keys),
        ("not completed", sum(1 for status in runs.values() if status != "completed"), 0),
        ("double", double, 0),
        ("unheard", unheard, 0),
        ("unsound (doctor)", 0 if doctor.returncode == 0 else doctor.stdout.strip(), 0),
    ]
    for name, found, wanted in rows:
        print(f"{name:<20} {found!s:>8}   {wanted}")
    print(f"took                 {took:.0f} s, {load.sent / took:.0f} deliveries a second, seed {args.seed}, {folder}")
    fine = all(found == wanted for _, found, wanted in rows if isinstance(wanted, int)) and kills > 0
    if fine and not args.keep:
        subprocess.run(["rm", "-rf", folder], check=False)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
