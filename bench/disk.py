"""The disks that a loss of power can leave, from what `strace` has noted of a program's file operations; for power.py.

Of each file there is what was synced (`sure`), and what may have come to be since (`maybe`); of each folder likewise its
names. What is written before a sync begins is sure when that has ended.
"""
import os
import re
import sys

PAGE, SECTOR = 4096, 512
CALLS = ("openat,open,creat,close,write,pwrite64,pwritev,pwritev2,writev,ftruncate,truncate,fallocate,copy_file_range,sendfile,lseek,fsync,"
         "fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat")

LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+)(?:<[^>]*>)?.*?<([\d.]+)>$", re.S)
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
FILE = re.compile(r"^(?:AT_FDCWD|-?\d+)<([^>]*)>")


def plain(text):
    return bytes.fromhex(text.replace("\\x", ""))


def named(text):
    return plain(text).decode() if text.startswith("\\x") else text


def calls(trace):
    """All calls that succeeded: when they began and ended, what they were, and with what."""
    begun = {}
    for line in open(trace, encoding="ascii", errors="replace"):
        found = LINE.match(line.rstrip("\n"))
        if not found:
            continue
        task, at, rest = found[1], float(found[2]), found[3]
        if rest.endswith("<unfinished ...>"):
            begun[task] = (at, rest[:-len("<unfinished ...>")].rstrip())
            continue
        since, whole = at, rest
        if rest.startswith("<... "):
            since, head = begun.pop(task)
            whole = head + rest[rest.index("resumed>") + len("resumed>"):]
        call = CALL.match(whole)
        if call and int(call[3]) >= 0:
            until = since + float(call[4]) if since == at else at
            yield since, max(until, since), call[1], call[2], int(call[3])
    # What was under way when the process was killed may have come to be.
    for since, head in begun.values():
        name, _, args = head.partition("(")
        if name in ("pwrite64", "write"):
            yield since, float("inf"), name, args.rstrip(", "), -1


class Node:
    """A file or a folder: what of it is on the disk for sure, and what may be."""

    def __init__(self, is_folder):
        self.is_folder = is_folder
        self.sure = {} if is_folder else bytearray()
        self.maybe = []  # files: (until, "write", offset, bytes) or (until, "cut", length); folders: (until, name, node or None)

    def sync(self, since):
        """All that was done before a sync began is sure once that has ended."""
        done = [change for change in self.maybe if change[0] <= since]
        self.maybe = [change for change in self.maybe if change[0] > since]
        for change in done:
            apply(self.sure, change)


def apply(content, change):
    if isinstance(content, dict):
        _, name, node = change
        if node is None:
            content.pop(name, None)
        else:
            content[name] = node
    elif change[1] == "cut":
        del content[change[2]:]
        content.extend(bytes(change[2] - len(content)))
    else:
        put(content, change[2], change[3])


def put(content, offset, data):
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


class Disk:
    """The folder of the store, as the calls change it. One that lies does nothing when it is asked to sync."""

    def __init__(self, root, is_liar=False):
        self.root = root
        self.nodes = {root: Node(True)}
        self.positions = {}
        self.is_liar = is_liar
        self.syncs = []  # under way: (until, since, node)
        self.synced = 0

    def pass_to(self, moment):
        """What ended by then is over."""
        over = [sync for sync in self.syncs if sync[0] <= moment]
        self.syncs = [sync for sync in self.syncs if sync[0] > moment]
        for _, since, node in sorted(over, key=lambda sync: sync[:2]):
            node.sync(since)
        self.synced += len(over)

    def inside(self, path):
        return (path + "/").startswith(self.root + "/") and not path.endswith("-shm")

    def folder(self, path):
        return self.nodes[os.path.dirname(path)]

    def name(self, path, node, until):
        self.folder(path).maybe.append((until, os.path.basename(path), node))
        if node is None:
            self.nodes.pop(path, None)
        else:
            self.nodes[path] = node

    def take(self, call):
        """Notes a call."""
        since, until, name, args, result = call
        self.pass_to(since)
        if name == "close":
            self.positions.pop(int(args.split("<")[0]), None)  # a copy of a descriptor that is made later begins at 0
            return
        texts = [named(text) for text, _ in TEXT.findall(args)] if name not in ("write", "pwrite64") else []
        descriptor = FILE.match(args)
        base = named(descriptor[1]) if descriptor else ""
        if name in ("openat", "open", "creat"):
            path = os.path.normpath(os.path.join(base, texts[0]))
            if not self.inside(path):
                return
            if "O_CREAT" in args and path not in self.nodes:
                self.name(path, Node(False), until)
            if "O_TRUNC" in args:
                self.nodes[path].maybe.append((until, "cut", 0))
            self.positions[result] = self.length(path) if "O_APPEND" in args else 0
        elif name in ("mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir"):
            paths = [os.path.normpath(os.path.join(base, text)) for text in texts]
            if not self.inside(paths[0]):
                return
            if name.startswith("mkdir"):
                self.name(paths[0], Node(True), until)
            elif name.startswith("rename"):
                node = self.nodes[paths[0]]
                self.name(paths[1], node, until)
                self.name(paths[0], None, until)
            else:
                self.name(paths[0], None, until)
        elif not self.inside(base):
            return
        elif name in ("fsync", "fdatasync"):
            if base in self.nodes and not self.is_liar:
                self.syncs.append((until, since, self.nodes[base]))
        elif name == "lseek":
            self.positions[int(args.split("<")[0])] = result
        elif name == "ftruncate":
            self.nodes[base].maybe.append((until, "cut", int(args.rsplit(",", 1)[1])))
        elif name in ("write", "pwrite64"):
            text, cut = TEXT.search(args).groups()
            data = plain(text)
            if cut or result > len(data):
                sys.exit(f"disk.py: strace kept only a part of {base}")
            data = data[:result] if result >= 0 else data
            if name == "pwrite64":
                offset = int(args.rsplit(",", 1)[1])
            else:
                file = int(args.split("<")[0])
                offset = self.positions.get(file, 0)
                self.positions[file] = offset + len(data)
            if base in self.nodes:  # else it has lost its name
                self.nodes[base].maybe.append((until, "write", offset, data))
        else:
            sys.exit(f"disk.py: {name} on {base} is not understood")

    def length(self, path):
        content = bytearray(self.nodes[path].sure)
        for change in self.nodes[path].maybe:
            apply(content, change)
        return len(content)


def lay_out(node, target, rng):
    """Writes an image of a folder."""
    os.makedirs(target, exist_ok=True)
    entries = dict(node.sure)
    for change in node.maybe[:drawn(rng, len(node.maybe))]:
        apply(entries, change)
    for name, child in entries.items():
        path = os.path.join(target, name)
        if child.is_folder:
            lay_out(child, path, rng)
        else:
            with open(path, "wb") as file:
                file.write(content(child, rng))


def drawn(rng, count):
    return rng.choice((0, count, rng.randint(0, count)))


def content(node, rng):
    """What is in a file: what is sure, and of the rest what happened to come to be."""
    found = bytearray(node.sure)
    how = rng.choice(("nothing", "all", "pages", "pages", "torn"))
    first = drawn(rng, len(node.maybe)) if how == "torn" else None
    rubbish = rng.random() < 0.5
    for place, change in enumerate(node.maybe):
        if how == "all" or (how == "torn" and place < first):
            apply(found, change)
        elif how == "torn" and place == first and change[1] == "write":
            data = change[3]
            edge = rng.randrange(0, len(data) + SECTOR, SECTOR)
            head = rng.random() < 0.7
            put(found, change[2] if head else change[2] + edge, data[:edge] if head else data[edge:])
        elif how == "pages" and change[1] == "cut":
            if rng.random() < 0.5:
                apply(found, change)
        elif how == "pages":
            _, _, offset, data = change
            at = 0
            while at < len(data):
                size = min(PAGE - (offset + at) % PAGE, len(data) - at)
                if rng.random() < 0.5:
                    put(found, offset + at, data[at:at + size])
                elif rubbish and offset + at >= len(found):
                    put(found, offset + at, rng.randbytes(size))
                at += size
    return found
