#!/usr/bin/env python3
"""Sets the clock under a running service, forward and back by a day, and looks what comes of what waits.

usage: clocks.py PROGRAM [--faketime LIBRARY]

PROGRAM     the `workflow` binary
--faketime  libfaketime (Debian: `apt-get install libfaketime`); only the service sees the other time, and only that of the
            wall: the one that counts up goes on, as it does when somebody sets a clock

  due       what waits for two hours, for a retry in an hour, and for a timeout of half an hour comes within a minute after a
            jump of a day, each once
  schedule  an hourly schedule starts once for all instants that went by
  in flight a step that works while the clock is set comes to its end, and its timeout is not moved
  back      after a jump back nothing starts twice, and what is new goes its way

Prints what it saw and ends with code 1 when any of this is not so. Standard library and libfaketime only; needs Linux.
"""
import argparse
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
ENDS = ("completed", "failed", "cancelled", "timed_out")


class Service:
    """The service, and the clock that it sees."""

    def __init__(self, program, library, folder):
        self.offset = os.path.join(folder, "offset")
        self.set("+0")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("WORKFLOW_")}
        environment = {**kept, "WORKFLOW_STORAGE_PATH": os.path.join(folder, "store"), "WORKFLOW_LISTEN": f"127.0.0.1:{self.port}",
                       "WORKFLOW_LOG": "warn", "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": self.offset,
                       "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        said = open(os.path.join(folder, "log"), "wb")
        self.child = subprocess.Popen([os.path.abspath(program), "serve"], env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        until(lambda: self.listens(), "the service does not listen")

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def set(self, offset):
        with open(self.offset + ".new", "w") as file:
            file.write(offset + "\n")
        os.rename(self.offset + ".new", self.offset)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"clocks.py: {method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def create(self, name, step, **more):
        self.ask("POST", "/api/workflow/create", {"definition": json.dumps({"name": name, "steps": [step], **more})})

    def start(self, name):
        return self.ask("POST", f"/api/workflow/{name}/execute", {"inputs": {}})["execution_id"]

    def view(self, execution):
        return self.ask("GET", f"/api/workflow/{execution}/status")

    def status(self, execution):
        return self.view(execution)["status"]


def until(holds, trouble, limit=90):
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"clocks.py: {trouble}")
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program")
    parser.add_argument("--faketime", default=LIBRARY)
    args = parser.parse_args()
    if not os.path.exists(args.faketime):
        sys.exit(f"clocks.py: there is no {args.faketime}; install libfaketime, or name it with --faketime")
    folder = tempfile.mkdtemp(prefix="workflow-clocks-")
    service = Service(args.program, args.faketime, folder)
    found = []

    def check(what, fine):
        print(f"{what:<76} {'yes' if fine else 'NO'}", flush=True)
        found.extend([] if fine else [what])

    try:
        service.create("Naps", {"type": "wait", "id": "nap", "config": {"for": "2h"}})
        service.create("Again", {"type": "test", "id": "flaky", "retry": {"count": 2, "delay": "1h"}, "config": {"fail": "once", "times": 1}})
        service.create("Late", {"type": "wait", "id": "nap", "config": {"for": "10h"}}, timeout="30m")
        service.create("Busy", {"type": "test", "id": "slow", "timeout": "40s", "config": {"sleep": "4s"}})
        service.create("Hourly", {"type": "noop"}, triggers=[{"type": "schedule", "id": "hour", "cron": "0 * * * *"}])
        wanted = {"naps": "completed", "again": "completed", "late": "timed_out"}
        waiting = {name: service.start(name) for name in wanted}
        for name, execution in waiting.items():
            until(lambda: service.status(execution) == "waiting", f"{name} does not wait")
        busy = service.start("busy")
        until(lambda: service.status(busy) == "running", "nothing is in flight")
        service.set("+1d")
        began = time.monotonic()
        until(lambda: all(service.status(execution) in ENDS for execution in waiting.values()), "what is due does not come")
        print(f"forward by a day: all that was due came after {time.monotonic() - began:.0f} s")
        for name, execution in waiting.items():
            check(f"{name}: {wanted[name]}", service.status(execution) == wanted[name])
        attempts = service.view(waiting["again"])["steps"][0].get("attempts")
        check(f"the retry came once ({attempts} attempts)", attempts == 2)
        until(lambda: service.status(busy) in ENDS, "what was in flight does not end")
        check("what was in flight completed", service.status(busy) == "completed")
        hourly = lambda: [row for row in service.ask("GET", "/api/workflow/history?limit=100")["executions"] if row["workflow"] == "hourly"]
        until(hourly, "the schedule does not start")
        check(f"the schedule started once for a day of instants ({len(hourly())})", len(hourly()) == 1)
        nap, busy = service.start("naps"), service.start("busy")
        until(lambda: service.status(busy) == "running", "nothing is in flight")
        service.set("-1d")
        until(lambda: service.status(busy) in ENDS, "what was in flight does not end")
        check("back by two days: what was in flight completed", service.status(busy) == "completed")
        busy = service.start("busy")
        until(lambda: service.status(busy) in ENDS, "what is new does not end")
        check("what is new completes", service.status(busy) == "completed")
        check("what waits goes on waiting", service.status(nap) == "waiting")
        check("the schedule did not start again", len(hourly()) == 1)
        service.set("+2d")
        until(lambda: service.status(nap) in ENDS, "what waited does not come")
        check("and comes once the clock is there", service.status(nap) == "completed")
    finally:
        service.child.kill()
        service.child.wait()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
