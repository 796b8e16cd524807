#!/usr/bin/env python3
"""Kills the service again and again under a mixed load, and looks whether anything was lost, stuck or done twice.

usage: kills.py PROGRAM [--executions 300] [--kills 12] [--longest 2.0] [--seed 1] [--keep DIR]

PROGRAM       the `workflow` binary
--executions  how many executions are started over HTTP, five kinds in turn: steps in a row, side by side, a list, an inner
              workflow, a step that fails at first, and one that waits for an approval (which is given)
--kills       how many times the service is killed with SIGKILL
--longest     the longest time between a start and its kill, in seconds; drawn evenly from 0.02 to this
--keep        keep the storage path here, to look into it

Two witnesses stand outside and are never killed. Callers note every answer they got: an execution whose start was
answered is *accepted*. Every execution tells a ledger of what it does, over HTTP with the key that its step sends
(`Idempotency-Key`), so the ledger knows how often the world felt each step.

  lost      an accepted execution that the store does not know                                                    (I1)
  double    two executions for one key of a caller                                                                (I2)
  stuck     not at its end within a minute after the last kill                                                    (I9)
  re-run    an effect that arrived after its step's success was in the store                                      (I4)
  extra     effects beyond one for each step: at most kills x steps in flight                                     (I7)
  unsound   what `workflow doctor` finds in the store

Prints a table and ends with code 1 when any of this does not hold. Standard library only; needs Linux.
"""
import argparse
import collections
import concurrent.futures
import http.client
import http.server
import json
import os
import random
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

AT_A_TIME = 16
CALLERS = 8


class Ledger(http.server.ThreadingHTTPServer):
    """What the world felt: each effect with its key and when it came."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Entry)
        self.effects = collections.defaultdict(list)
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # whoever asked was killed


class Entry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.server.lock:
            self.server.effects[self.headers["idempotency-key"]].append(time.time())
        time.sleep(random.random() * 0.08)  # so that a kill finds something in flight
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def definitions(port):
    def tell(name, **more):
        return {"type": "fetch", "id": name, "retry": {"count": 5, "delay": "100ms"}, **more,
                "config": {"url": f"http://127.0.0.1:{port}/{name}", "method": "POST", "json": {"at": "${{ run.id }}"}}}

    row = [tell("first"), {"type": "test", "id": "makes", "config": {"outputs": {"n": 1}}}, tell("second"), tell("third", concurrency={"group": "shared", "limit": 3}, timeout={"queue": "1h"})]
    side = [tell(name, parallel_group=1) for name in ("one", "two", "three")] + [tell("last", parallel_group=2)]
    each = [tell("each", foreach={"in": [1, 2, 3, 4], "max_parallel": 2}), tell("after")]
    inner = [tell("before"), {"type": "workflow", "id": "inner", "config": {"id": "row"}}, tell("behind")]
    shaky = [{"type": "test", "id": "shaky", "retry": {"count": 3, "delay": "50ms"}, "config": {"fail": "at first", "times": 2}},
             tell("then")]
    asks = [tell("before"), {"type": "approve", "id": "book", "config": {"allow_requester": True}}, tell("booked")]
    return {"row": row, "side": side, "each": each, "outer": inner, "shaky": shaky, "asks": asks}


class Service:
    """The service, life after life, on one port and one folder."""

    def __init__(self, program, storage, ledger, port):
        """`ledger` is the port that steps may call."""
        self.program, self.storage, self.port = program, storage, port
        kept = {key: value for key, value in os.environ.items() if not key.startswith("WORKFLOW_")}
        self.environment = {**kept, "WORKFLOW_STORAGE_PATH": storage, "WORKFLOW_LISTEN": f"127.0.0.1:{port}",
                            "WORKFLOW_MAX_CONCURRENT": str(AT_A_TIME),
                            "WORKFLOW_EGRESS_ALLOW": f"127.0.0.1/32:{ledger}"}
        self.recoveries, self.said = [], open(storage + ".log", "ab")

    def begin(self):
        began = time.monotonic()
        self.child = subprocess.Popen([self.program, "serve"], env=self.environment, stdin=subprocess.DEVNULL,
                                      stdout=self.said, stderr=self.said, start_new_session=True)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                break
            except OSError:
                if self.child.poll() is not None:
                    sys.exit(f"kills.py: the service ended with {self.child.returncode}; see {self.storage}.log")
                time.sleep(0.005)
        self.recoveries.append(time.monotonic() - began)

    def kill(self):
        self.child.kill()
        self.child.wait()

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(60)

    def ask(self, method, path, body=None, key=None, patience=15):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            headers = {"content-type": "application/json", **({"idempotency-key": key} if key else {})}
            connection.request(method, path, json.dumps(body if body is not None else {}) if method != "GET" else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def insist(self, method, path, body=None, key=None):
        """Asks until there is an answer, as a careful caller does."""
        while True:
            try:
                status, answer = self.ask(method, path, body, key)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.02)
                continue
            if status in (409, 429, 503) and (key or method == "GET"):
                time.sleep(0.05)
                continue
            return status, answer


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program")
    parser.add_argument("--executions", type=int, default=300)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--longest", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    folder = args.keep or tempfile.mkdtemp(prefix="workflow-kills-")
    os.makedirs(folder, exist_ok=True)
    ledger = Ledger()
    service = Service(os.path.abspath(args.program), os.path.join(folder, "store"), ledger.server_port, free_port())
    service.begin()
    ids = {}
    for name, steps in definitions(ledger.server_port).items():
        status, made = service.insist("POST", "/api/workflow/create", {"name": name.title(), "steps": steps})
        if status != 200:
            sys.exit(f"kills.py: {name}: {made}")
        ids[name] = made["workflow_id"]
    began = time.monotonic()
    accepted, over = {}, threading.Event()

    def start(number):
        kind = list(ids)[number % len(ids)]
        status, answer = service.insist("POST", f"/api/workflow/{ids[kind]}/execute", {"inputs": {}}, key=f"start-{number}")
        if status != 200:
            raise RuntimeError(f"start {number}: {status} {answer}")
        accepted[number] = (kind, answer["execution_id"])

    def approve():
        while not over.is_set():
            for _, execution in [found for found in accepted.values() if found[0] == "asks"][-400:]:
                if over.is_set() or execution in approved:
                    continue
                try:
                    status, _ = service.ask("POST", f"/api/workflow/{execution}/approve", patience=5)
                    if status == 200:
                        approved.add(execution)
                    elif status != 409:
                        time.sleep(0.02)
                except (OSError, http.client.HTTPException, ValueError):
                    time.sleep(0.05)
            time.sleep(0.1)

    approved = set()
    threading.Thread(target=approve, daemon=True).start()
    pool = concurrent.futures.ThreadPoolExecutor(CALLERS)
    pace = max(0.0, args.kills * (args.longest + 0.3) / 2 / args.executions)  # so that the load lasts as long as the kills

    def load():
        for number in range(args.executions):
            yield pool.submit(start, number)
            time.sleep(pace)

    feeder_done = []
    feeder = threading.Thread(target=lambda: feeder_done.extend(load()), daemon=True)
    feeder.start()
    for _ in range(args.kills):
        time.sleep(rng.uniform(0.02, args.longest))
        service.kill()
        service.begin()
    feeder.join()
    for done in feeder_done:
        done.result()
    healed = time.monotonic()
    patience = 60 + args.executions * 0.02
    while time.monotonic() - healed < patience:
        for _, execution in [found for found in accepted.values() if found[0] == "asks" and found[1] not in approved]:
            status, _ = service.ask("POST", f"/api/workflow/{execution}/approve")
            if status == 200:
                approved.add(execution)
        if not any(service.insist("GET", f"/api/workflow/history?status={status}&limit=1")[1]["executions"]
                   for status in ("queued", "running", "waiting")):
            break
        time.sleep(0.3)
    over.set()
    service.stop()
    took = time.monotonic() - began
    doctor = subprocess.run([service.program, "doctor"], env=service.environment, capture_output=True, text=True)

    store = sqlite3.connect(f"file:{service.storage}/workflow.db?mode=ro", uri=True)
    known = dict(store.execute("SELECT id, status FROM run"))
    lost = [execution for _, execution in accepted.values() if execution not in known]
    stuck = [run for run, status in known.items() if status not in ("completed", "failed", "cancelled", "timed_out")]
    failed = [run for run, status in known.items() if status == "failed"]
    double = len(accepted) - len({execution for _, execution in accepted.values()})
    outer = store.execute("SELECT count(*) FROM run WHERE parent_id IS NULL").fetchone()[0]
    double += abs(outer - len(accepted))
    ends, lost_attempts = effect_ends(store)
    late = sum(1 for key, times in ledger.effects.items() for at in times if key in ends and at > ends[key] + 0.002)
    unknown = [key for key in ledger.effects if key not in ends]
    extra = sum(len(times) - 1 for times in ledger.effects.values())
    bound = args.kills * AT_A_TIME * 3
    rows = [
        ("accepted", len(accepted), args.executions),
        ("executions, inner ones too", len(known), ""),
        ("kills", args.kills, ""),
        ("steps with an effect", len(ends), ""),
        ("attempts that a kill ended", lost_attempts, ""),
        ("lost", len(lost), 0),
        ("double", double, 0),
        ("stuck", len(stuck), 0),
        ("failed", len(failed), 0),
        ("re-run after success", late, 0),
        ("effects of no known step", len(unknown), 0),
        ("steps without their effect", sum(1 for key in ends if key not in ledger.effects), 0),
        ("extra effects", extra, f"<= {bound}"),
        ("unsound (doctor)", 0 if doctor.returncode == 0 else doctor.stdout.strip(), 0),
    ]
    for name, found, wanted in rows:
        print(f"{name:<28} {found!s:>8}   {wanted}")
    recoveries = sorted(service.recoveries[1:])
    print(f"start to first answer        p50 {statistics.median(recoveries) * 1000:.0f} ms, worst {recoveries[-1] * 1000:.0f} ms")
    print(f"took                         {took:.0f} s, seed {args.seed}, {folder}")
    fine = not (lost or double or stuck or failed or late or unknown or doctor.returncode) and extra <= bound
    fine = fine and len(accepted) == args.executions and all(row[1] == 0 for row in rows if row[0].startswith("steps without"))
    if fine and not args.keep:
        subprocess.run(["rm", "-rf", folder], check=False)
    sys.exit(0 if fine else 1)


def effect_ends(store):
    """When each step with an effect was done, by the key that it sends; and how many attempts kills ended."""
    import hashlib
    ends, lost = {}, 0
    generations = store.execute("SELECT run_id, position, generation, finished_at FROM step WHERE status = 'completed'")
    plans = {}
    for run, source in store.execute("SELECT run.id, source_text FROM run JOIN revision ON hash = revision_hash"):
        plans[run] = source
    effects = collections.defaultdict(set)
    for run, events in store.execute("SELECT run_id, events FROM journal ORDER BY run_id, seq"):
        for _, event in json.loads(events):
            if isinstance(event, dict) and "step_interrupted" in event:
                lost += bool(event["step_interrupted"]["lost"])
            if isinstance(event, dict) and "step_started" in event:
                effects[run].add(event["step_started"]["step"])
    kinds = {}
    for run, source in plans.items():
        if source not in kinds:
            kinds[source] = [step["type"] for step in json.loads(source)["steps"]]
    for run, position, generation, finished in generations:
        steps = kinds[plans[run]]
        # Behind the steps of the plan stand the items of its one loop, which is its first step.
        kind = steps[position] if position < len(steps) else steps[0]
        looped = position < len(steps) and '"foreach"' in plans[run] and position == 0
        if kind == "fetch" and not looped:
            key = hashlib.sha256(f"{run}/{position}/{generation}".encode()).hexdigest()[:32]
            ends[key] = finished / 1e6
    return ends, lost


if __name__ == "__main__":
    main()
