#!/usr/bin/env python3
"""Fills the service with executions that wait and executions that run, each with large inputs, and looks at its memory.

usage: memory.py PROGRAM [--waiting 5000] [--running 200] [--bytes 65536] [--large 900000] [--bound 400] [--keep DIR]

PROGRAM     the `workflow` binary
--waiting   executions that wait for an event; each has inputs of --bytes, every fiftieth of --large
--running   executions whose step is under way all the time; each has inputs of --large
--bound     MiB that the process may ever hold

Prints what the process held at each stage, as the kernel counts it (VmRSS and, at the most so far, VmHWM), and ends with
code 1 when that is more than the bound, or when one of eight that waited does not complete once it is called. Standard
library only; needs Linux, and room on the disk for the inputs three times over.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

CALLERS = 8


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program")
    parser.add_argument("--waiting", type=int, default=5000)
    parser.add_argument("--running", type=int, default=200)
    parser.add_argument("--bytes", type=int, default=65536)
    parser.add_argument("--large", type=int, default=900_000)
    parser.add_argument("--bound", type=int, default=400)
    parser.add_argument("--keep")
    args = parser.parse_args()
    folder = args.keep or tempfile.mkdtemp(prefix="workflow-memory-")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WORKFLOW_")}
    environment = {**kept, "WORKFLOW_STORAGE_PATH": os.path.join(folder, "store"), "WORKFLOW_LISTEN": f"127.0.0.1:{port}",
                   "WORKFLOW_MAX_CONCURRENT": str(args.running + 16), "WORKFLOW_DURABILITY": "relaxed",
                   "WORKFLOW_STEP_TIMEOUT": "3600", "WORKFLOW_LOG": "warn"}
    os.makedirs(folder, exist_ok=True)
    said = open(os.path.join(folder, "log"), "ab")
    child = subprocess.Popen([os.path.abspath(args.program), "serve"], env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def ask(method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path, None if method == "GET" else json.dumps(body or {}), {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                sys.exit(f"memory.py: {method} {path}: {answer.status} {text[:300]!r}")
            return json.loads(text)
        finally:
            connection.close()

    def held():
        with open(f"/proc/{child.pid}/status") as status:
            fields = dict(line.split(":", 1) for line in status if ":" in line)
        return [int(fields[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM")]

    def say(stage):
        now, most = held()
        print(f"{stage:<44} {now:>6} MiB now {most:>6} MiB at the most", flush=True)
        return most

    def count(status):
        listed = [row for row in ask("GET", f"/api/workflow/history?status={status}&limit=100")["executions"]]
        return len(listed)

    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if child.poll() is not None:
                    sys.exit(f"memory.py: the service ended with {child.returncode}; see {folder}/log")
                time.sleep(0.01)
        inputs = {"text": {"type": "string"}}
        waits = {"name": "Waits", "inputs": inputs, "steps": [{"type": "wait", "id": "gate", "config": {"event": "go"}},
                                                              {"type": "test", "config": {"outputs": {"text": "${{ inputs.text }}"}}}]}
        works = {"name": "Works", "inputs": inputs, "steps": [{"type": "test", "config": {"sleep": "3000s"}}]}
        for definition in (waits, works):
            ask("POST", "/api/workflow/create", {"definition": json.dumps(definition)})
        say("started")

        def start(workflow, size):
            return ask("POST", f"/api/workflow/{workflow}/execute", {"inputs": {"text": "x" * size}})["execution_id"]

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            began = time.monotonic()
            size = lambda number: args.large if number % 50 == 0 else args.bytes
            waiting = list(pool.map(lambda number: start("waits", size(number)), range(args.waiting)))
            while count("running") or count("queued"):
                time.sleep(0.1)
            say(f"{args.waiting} wait ({time.monotonic() - began:.0f} s)")
            list(pool.map(lambda _: start("works", args.large), range(args.running)))
            while count("queued"):
                time.sleep(0.1)
            say(f"{args.running} run beside them")
            called = waiting[:8]
            for execution in called:
                ask("POST", f"/api/workflow/{execution}/signal", {"event": "go"})
            ends = [ask("GET", f"/api/workflow/{execution}/wait?timeout=60")["status"] for execution in called]
            most = say("eight of those that waited were called")
        fine = most <= args.bound and all(end == "completed" for end in ends)
        print(f"bound {args.bound} MiB: {'held' if most <= args.bound else 'NOT HELD'}; called: {', '.join(sorted(set(ends)))}")
    finally:
        child.kill()
        child.wait()
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
