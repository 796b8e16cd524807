#!/usr/bin/env python3
"""Runs every document of a folder through document_processing and judges the text.

usage: documents.py PROGRAM FOLDER [--only SUBSTR] [--baseline] [--json OUT]

PROGRAM  the `workflow` binary, or the example `ocr` (the same JSON for upload and ocr alone)
FOLDER   holds manifest.json: a list of {file, kind, lang, truth_text?, truth_text_layout?, truth_fields?, expect?}
         and, beside it, baseline-tesseract.json: {file: {lang, word_f1, fields_found}} of the plain tesseract CLI
--baseline   also run the plain tesseract CLI now, with the very same languages (pages of PDFs drawn at 300 dpi)
--take-tiff   run a copy of the template that takes TIFF too (the shipped one does not)
--default-languages   read everything with eng+deu, as the template does, instead of each file's own language

Prints a table: file, status or error code, word F1 and that of plain tesseract, fields found, seconds.
Ends with code 1 when a scan is read worse than plain tesseract reads it, or a document ends in no clear way.
Standard library only.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unicodedata

FIELDS = ("company", "date", "total", "invoice_number", "seller", "iban")
LANGUAGES = {"deu": "deu", "deu-fraktur": "deu", "eng+deu+fra+ita+spa+por": "eng+deu"}


def normal(text, fold):
    text = unicodedata.normalize("NFC", text.replace("\f", " ").replace("ſ", "s").replace("⸗", "-"))
    text = re.sub(r"\s+", " ", text).strip()
    return text.casefold() if fold else text


def word_f1(truth, got, fold):
    """Bag of words: order does not matter."""
    pattern = r"[^\W_]+(?:[.,'-][^\W_]+)*"
    bags = [collections.Counter(re.findall(pattern, normal(text, fold))) for text in (truth, got)]
    hits = sum((bags[0] & bags[1]).values())
    recall, precision = (hits / max(1, sum(bag.values())) for bag in bags)
    return 2 * recall * precision / max(1e-9, recall + precision)


def fields(known, got):
    """How many known values stand in the text, spaces and case ignored."""
    squeeze = lambda text: re.sub(r"\s+", "", str(text)).casefold()
    wanted = [(key, (known or {}).get(key)) for key in FIELDS]
    wanted = [value for key, value in wanted
              if isinstance(value, str) and not (key == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", value))]
    return sum(squeeze(value) in squeeze(got) for value in wanted), len(wanted)


def plain_tesseract(path, languages):
    with tempfile.TemporaryDirectory() as folder:
        pages = [path]
        if path.endswith(".pdf"):
            subprocess.run(["pdftoppm", "-r", "300", "-gray", "-png", path, folder + "/p"], check=True)
            pages = sorted(os.path.join(folder, name) for name in os.listdir(folder))
        environment = dict(os.environ, OMP_THREAD_LIMIT="1")
        said = [subprocess.run(["tesseract", page, "-", "-l", languages], capture_output=True, env=environment)
                for page in pages]
        return "\n".join(one.stdout.decode("utf-8", "replace") for one in said)


def run(program, path, languages, storage):
    if os.path.basename(program) == "ocr":
        command = [program, "--languages", languages, path]
    else:
        command = [program, "run", "document_processing", "--file", path, "--json", f"languages={languages}"]
    started = time.monotonic()
    try:
        ended = subprocess.run(command, capture_output=True, timeout=300, cwd=storage)
    except subprocess.TimeoutExpired:
        return None, time.monotonic() - started
    try:
        return json.loads(ended.stdout), time.monotonic() - started
    except ValueError:
        sys.stderr.write(ended.stderr.decode("utf-8", "replace")[-500:])
        return None, time.monotonic() - started


def take_tiff(program, storage):
    """The operator's own template goes before the shipped one of the same name."""
    shipped = subprocess.run([program, "show", "document_processing"], capture_output=True, cwd=storage, check=True)
    templates = os.path.join(storage, "workflows", "templates")
    os.makedirs(templates)
    with open(os.path.join(templates, "document_processing.yaml"), "wb") as file:
        file.write(shipped.stdout.replace(b"jpg, png]", b"jpg, png, tiff]"))


def judge(entry, folder, options, storage, baseline):
    path = os.path.join(folder, entry["file"])
    own = LANGUAGES.get(entry.get("lang"), "eng")
    languages = "eng+deu" if options.default_languages else own
    result, seconds = run(options.program, path, languages, storage)
    row = {"file": entry["file"], "seconds": seconds, "status": "no answer"}
    if result is None:
        return row
    row["status"] = result["status"] if not result["error"] else result["error"]["code"]
    outputs = next((step["outputs"] for step in result["steps"] if step["type"] == "ocr"), None) or {}
    text = outputs.get("text", "")
    row["pages"] = len(outputs.get("pages", []))
    row["found"], row["wanted"] = fields(entry.get("truth_fields"), text)
    truths = [open(os.path.join(folder, entry[key]), encoding="utf-8").read()
              for key in ("truth_text", "truth_text_layout") if key in entry]
    fold = "receipt" in entry["kind"]
    if truths and outputs:
        row["f1"] = max(word_f1(truth, text, fold) for truth in truths)
        if entry["kind"].startswith("scan"):
            if options.baseline:
                plain = plain_tesseract(path, languages)
                row["plain"] = max(word_f1(truth, plain, fold) for truth in truths)
                row["plain_found"], _ = fields(entry.get("truth_fields"), plain)
            elif entry["file"] in baseline and not options.default_languages:
                row["plain"] = baseline[entry["file"]]["word_f1"]
                row["plain_found"] = baseline[entry["file"]]["fields_found"]
    return row


def show(rows):
    number = lambda value: "" if value is None else f"{value:.3f}"
    print(f"{'file':<76} {'status':<10} {'F1':>6} {'plain':>6} {'gain':>7} {'fields':>7} {'plain':>6} {'s':>6}")
    for row in rows:
        f1, plain = row.get("f1"), row.get("plain")
        gain = "" if f1 is None or plain is None else f"{f1 - plain:+.3f}"
        found = f"{row['found']}/{row['wanted']}" if row.get("wanted") else ""
        before = row.get("plain_found", "") if row.get("wanted") else ""
        print(f"{row['file'][-76:]:<76} {row['status']:<10} {number(f1):>6} {number(plain):>6} {gain:>7} "
              f"{found:>7} {before:>6} {row['seconds']:>6.2f}")
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["file"].split("/")[0]].append(row)
    print()
    for name, group in sorted(groups.items()):
        scored = [row for row in group if "f1" in row]
        compared = [row for row in scored if "plain" in row]
        mean = lambda key, some: sum(row[key] for row in some) / len(some) if some else float("nan")
        median = sorted(row["f1"] for row in scored)[len(scored) // 2] if scored else float("nan")
        print(f"{name:<16} {len(group):>3} files, word F1 mean {mean('f1', scored):.3f} median {median:.3f}, "
              f"plain {mean('plain', compared):.3f}, fields {sum(row.get('found', 0) for row in group)}"
              f"/{sum(row.get('wanted', 0) for row in group)} (plain {sum(row.get('plain_found', 0) for row in group)})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--only", default="")
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--take-tiff", action="store_true")
    parser.add_argument("--default-languages", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    folder = os.path.abspath(options.folder)
    entries = json.load(open(os.path.join(folder, "manifest.json"), encoding="utf-8"))
    known = os.path.join(folder, "baseline-tesseract.json")
    baseline = json.load(open(known, encoding="utf-8")) if os.path.exists(known) else {}
    with tempfile.TemporaryDirectory() as storage:
        if options.take_tiff:
            take_tiff(options.program, storage)
        rows = [judge(entry, folder, options, storage, baseline)
                for entry in entries if options.only in entry["file"]]
    show(rows)
    if options.json:
        json.dump(rows, open(options.json, "w", encoding="utf-8"), indent=1, ensure_ascii=False)
    worse = [row["file"] for row in rows if "plain" in row and row["f1"] < row["plain"] - 0.0005]
    lost = [row["file"] for row in rows if row["status"] == "no answer"]
    for title, files in (("worse than plain tesseract", worse), ("no answer", lost)):
        print(f"{title}: {', '.join(files) or 'none'}")
    return 1 if worse or lost else 0


if __name__ == "__main__":
    sys.exit(main())
