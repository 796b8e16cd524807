#!/usr/bin/env python3
"""Makes the disks that a loss of power could leave, and looks whether the service keeps its promises on each of them.

usage: power.py PROGRAM [--executions 60] [--images 300] [--seed 1] [--relaxed] [--liar] [--keep DIR]

PROGRAM       the `workflow` binary
--executions  how many executions are started over HTTP: steps in a row, a list, contents too large for a row, rows that are
              loaded into a table, an inner workflow
--images      how many disks are made
--relaxed     with `durability = "relaxed"`: acknowledged executions may be missing, but only the last ones
--liar        the disk says that it has synced, and has not: shows that this program finds what is lost
--keep        keep traces, and the images that break a promise, here

The service runs under `strace`, which notes each of its file operations with all bytes: one life that SIGKILL ends, one that
ends in good order. From that the disk at any moment follows, if the power had gone then: what was synced is there; of what
was not, anything may be there or not. Each image draws a moment, and for each file how much of it came to be: nothing, all,
any pages of 4 KiB, or the first writes with the last one torn at 512 bytes; pages that are missing within a file hold zeros or
rubbish. A new name, a changed name and a removed name are on the disk once their folder is synced, and before that as
far as they happen to be.

  refused   the service does not start on the image
  unsound   what `workflow doctor` finds in it
  lost      an execution whose start was answered before that moment, or a file that was taken, and that is not there
  undone    an execution that was seen completed before that moment, and that is not completed
  stuck     an execution that does not come to its end when the service carries on
  rows      a completed load whose rows are not in the table, each once

Prints a table and ends with code 1 when any of this is found. Standard library and strace only; needs Linux.
"""
import argparse
import collections
import concurrent.futures
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import disk


def definitions():
    makes = {"type": "test", "id": "makes", "config": {"outputs": {"n": 1}}}
    row = [makes, {"type": "test", "id": "second", "retry": {"count": 2, "delay": "20ms"}, "config": {"fail": "once", "times": 1}},
           {"type": "noop", "id": "third"}]
    each = [{"type": "test", "id": "each", "foreach": {"in": [1, 2, 3], "max_parallel": 2}, "config": {"outputs": {"n": "${{ item }}"}}}]
    large = [{"type": "test", "id": "large", "config": {"outputs": {"text": "${{ inputs.text }}"}}}, {"type": "noop", "id": "after"}]
    rows = [{"type": "extract", "config": {"source": "test_data"}}, {"type": "load", "config": {"table": "power"}}]
    inner = [{"type": "workflow", "id": "inner", "config": {"id": "row"}}, {"type": "noop", "id": "behind"}]
    return {"row": row, "each": each, "large": large, "rows": rows, "outer": inner}


# ---- The load ----------------------------------------------------------------------------------------------------------------


class Life:
    """The service under strace, from its start to its end."""

    def __init__(self, program, storage, trace, relaxed):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.tracer = subprocess.Popen(
            ["strace", "-f", "-y", "-ttt", "-T", "-xx", "-s", str(1 << 28), "-e", f"trace={disk.CALLS}", "-e", "signal=none", "-o", trace,
             program, "serve"],
            env=environment(storage, relaxed, self.port), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(trace + ".log", "wb"), start_new_session=True)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.tracer.poll() is not None:
                    sys.exit(f"power.py: the service ended with {self.tracer.returncode}; see {trace}.log")
                time.sleep(0.02)

    def end(self, how):
        for child in open(f"/proc/{self.tracer.pid}/task/{self.tracer.pid}/children").read().split():
            os.kill(int(child), how)
        self.tracer.wait(120)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            text = json.dumps(body if body is not None else {}) if method != "GET" else None
            connection.request(method, path, text, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def upload(self, text):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            form = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n{text}\r\n--edge--\r\n'
            connection.request("POST", "/api/files", form, {"content-type": "multipart/form-data; boundary=edge"})
            return json.loads(connection.getresponse().read())["file_id"]
        finally:
            connection.close()


def environment(storage, relaxed, port=None):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WORKFLOW_")}
    more = {"WORKFLOW_LISTEN": f"127.0.0.1:{port}"} if port else {}
    return {**kept, **more, "WORKFLOW_STORAGE_PATH": storage, "WORKFLOW_DURABILITY": "relaxed" if relaxed else "full",
            "WORKFLOW_MAX_CONCURRENT": "8"}


def load(program, storage, folder, args):
    """Two lives under load. Gives the traces, and when each start was answered, each end seen, each upload taken."""
    rng = random.Random(args.seed)
    accepted, completed, uploaded = {}, {}, {}
    traces = [os.path.join(folder, f"trace-{life}") for life in (1, 2)]
    for number, trace in enumerate(traces):
        life = Life(program, storage, trace, args.relaxed)
        if number == 0:
            ids = {}
            for name, steps in definitions().items():
                status, made = life.ask("POST", "/api/workflow/create", {"name": name.title(), "steps": steps})
                if status != 200:
                    sys.exit(f"power.py: {name}: {made}")
                ids[name] = made["workflow_id"]
        over = threading.Event()

        def watch():
            while True:
                last = over.is_set()
                status, found = life.ask("GET", "/api/workflow/history?status=completed&limit=200")
                now = time.time()
                for execution in found["executions"] if status == 200 else ():
                    completed.setdefault(execution["execution_id"], now)
                if last:
                    return
                time.sleep(0.05)

        def start(place):
            kind = list(ids)[place % len(ids)]
            text = "".join(rng.choices("abcdefgh ", k=rng.choice((70_000, 90_000)))) if kind == "large" else ""
            if kind == "large":
                file = life.upload(f"{place}-{number}-{text}")
                uploaded[file] = time.time()
            status, answer = life.ask("POST", f"/api/workflow/{ids[kind]}/execute", {"inputs": {"text": text}})
            if status != 200:
                raise RuntimeError(f"start {place}: {status} {answer}")
            accepted[answer["execution_id"]] = (time.time(), kind)

        watcher = threading.Thread(target=watch)
        watcher.start()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(start, range(args.executions // 2)))
        if number == 1:
            while life.ask("GET", "/api/workflow/history?status=running&limit=1")[1]["executions"]:
                time.sleep(0.1)
        over.set()
        watcher.join()
        life.end(signal.SIGKILL if number == 0 else signal.SIGTERM)
    return traces, accepted, completed, uploaded


# ---- The images ------------------------------------------------------------------------------------------------------------


def run(program, storage, relaxed, *words):
    return subprocess.run([program, *words], env=environment(storage, relaxed), capture_output=True, text=True, timeout=120)


def judge(program, storage, before, relaxed):
    """What is wrong with an image. `before`: what had been told by then."""
    told, seen = before
    wrong = collections.Counter()
    said = []
    database = os.path.join(storage, "workflow.db")

    def runs():
        store = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            return dict(store.execute("SELECT id, status FROM run UNION ALL SELECT id, 'completed' FROM file"))
        finally:
            store.close()

    try:
        ended = run(program, storage, relaxed, "resume")
    except subprocess.TimeoutExpired:
        wrong["stuck"] += 1
        return wrong, ["resume: no end within two minutes"], 0
    if ended.returncode not in (0, 1):
        wrong["refused"] += 1
        return wrong, [f"resume: {ended.returncode} {ended.stderr.strip()[:300]}"], 0
    known = runs() if os.path.exists(database) else {}
    doctor = run(program, storage, relaxed, "doctor")
    if doctor.returncode != 0:
        wrong["unsound"] += 1
        said.append(f"doctor: {doctor.stdout.strip()[-400:]}{doctor.stderr.strip()[:200]}")
    lost = sorted((at, execution) for execution, (at, _) in told.items() if execution not in known)
    if relaxed:
        there = [at for execution, (at, _) in told.items() if execution in known]
        # Who was answered in the same moment may stand in any order.
        lost = [(at, execution) for at, execution in lost if there and at < max(there) - 1]
    wrong["lost"] += len(lost)
    said += [f"lost: {execution}, answered at {at:.6f}" for at, execution in lost[:3]]
    for execution, status in known.items():
        if status != "completed":
            wrong["stuck"] += 1
            said.append(f"stuck: {execution} is {status}")
    wrong["rows"] += rows_amiss(storage, [e for e, (_, kind) in told.items() if kind == "rows" and known.get(e) == "completed"])
    return wrong, said, len(known)


def rows_amiss(storage, executions):
    path = os.path.join(storage, "data.db")
    if not executions:
        return 0
    counts = {}
    if os.path.exists(path):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as tables:
            try:
                counts = dict(tables.execute("SELECT _run, count(*) FROM power GROUP BY _run"))
            except sqlite3.DatabaseError:
                pass
    return sum(1 for execution in executions if counts.get(execution) != 12)


def undone(program, storage, seen, relaxed):
    """Executions that were seen completed, and are not; asked before anything carries on."""
    answer = run(program, storage, relaxed, "history", "--status", "completed", "--limit", "1000", "--json")
    return [execution for execution in seen if execution not in answer.stdout]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program")
    parser.add_argument("--executions", type=int, default=60)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--relaxed", action="store_true")
    parser.add_argument("--liar", action="store_true")
    parser.add_argument("--keep")
    args = parser.parse_args()
    if not shutil.which("strace"):
        sys.exit("power.py: strace is needed (apt-get install strace)")
    program = os.path.abspath(args.program)
    folder = args.keep or tempfile.mkdtemp(prefix="workflow-power-")
    storage = os.path.join(os.path.realpath(folder), "store")
    os.makedirs(storage, exist_ok=True)
    began = time.monotonic()
    traces, accepted, completed, uploaded = load(program, storage, folder, args)
    events = []
    for trace in traces:
        events += disk.calls(trace)
    events.sort(key=lambda call: call[0])
    rng = random.Random(args.seed)
    times = [at for call in events for at in call[:2] if at != float("inf")]
    acks = [at for at, _ in accepted.values()] + list(completed.values()) + list(uploaded.values())
    moments = sorted(rng.choice(times if number % 2 else acks) + rng.choice((0, 1e-6, 2e-3)) for number in range(args.images))
    found, told_in_all, worst, place = collections.Counter(), 0, [], 0
    kept = disk.Disk(storage, args.liar)
    for number, moment in enumerate(moments):
        while place < len(events) and events[place][0] <= moment:
            kept.take(events[place])
            place += 1
        kept.pass_to(moment)
        told = {execution: told for execution, told in accepted.items() if told[0] <= moment}
        told |= {file: (at, "file") for file, at in uploaded.items() if at <= moment}
        seen = [execution for execution, at in completed.items() if at <= moment]
        with tempfile.TemporaryDirectory(prefix="workflow-image-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as image:
            drawn_from = rng.random()
            disk.lay_out(kept.nodes[storage], image, random.Random(drawn_from))
            back = [] if args.relaxed or not seen else undone(program, image, seen, args.relaxed)
            wrong, said, known = judge(program, image, (told, seen), args.relaxed)
            wrong["undone"] += len(back)
            found += wrong
            told_in_all += len(told)
            if any(wrong.values()):
                worst.append((number, moment, dict(+wrong), said))
                if args.keep:
                    disk.lay_out(kept.nodes[storage], os.path.join(folder, f"image-{number}"), random.Random(drawn_from))
    for number, moment, wrong, said in worst[:10]:
        print(f"image {number} at {moment:.6f}: {wrong}")
        for line in said[:5]:
            print(f"    {line}")
    table = [("executions answered", len(accepted)), ("files taken", len(uploaded)), ("calls on files", len(events)), ("syncs", kept.synced), ("images", len(moments)),
             ("answered starts looked for", told_in_all), ("images with a finding", len(worst))]
    table += [(name, found[name]) for name in ("refused", "unsound", "lost", "undone", "stuck", "rows")]
    for name, count in table:
        print(f"{name:<28} {count:>8}")
    print(f"took                         {time.monotonic() - began:.0f} s, seed {args.seed}, {'relaxed' if args.relaxed else 'full'}")
    if not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if worst else 0)


if __name__ == "__main__":
    main()
