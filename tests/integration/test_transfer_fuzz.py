"""Random trees go into a container and come back as they were: 500 of them, in batches."""
# Names are bytes, which a Path cannot hold:
# ruff: noqa: PTH101, PTH102, PTH112, PTH115, PTH118, PTH123, PTH211

from __future__ import annotations

import os
import random
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import find_engine
from ctrkernel.transfer.get import get
from ctrkernel.transfer.options import Options
from ctrkernel.transfer.put import put

if TYPE_CHECKING:
    from pathlib import Path

BATCHES, TREES = 10, 50
NAMES = [
    b"a",
    b"B",
    b"-rf",
    b"--",
    b"sp ace",
    b"new\nline",
    b"\xff\xfe",
    "é漢字".encode(),
    b"*",
    b"$HOME",
    b"`x`",
    b"'\"",
    b"\\",
    b"a:b",
    b".hidden",
    b"..x",
    b"~",
    b"#",
    b"n" * 120,
    b"\x01\x7f",
]
SIZES = [0, 0, 1, 511, 512, 513, 4096, 65_537, 300_001]
MODES = [0o644, 0o600, 0o755, 0o400, 0o444, 0o777, 0o000, 0o711]


def grow(random: random.Random, folder: bytes, depth: int) -> None:
    """Fill a folder with files, folders, links, hard links and holes."""
    files: list[bytes] = []
    for name in random.sample(NAMES, random.randint(0, 5)):
        path = folder + b"/" + name
        match random.choice(["file", "file", "folder", "link", "hard", "hole", "fifo"]):
            case "folder" if depth:
                os.mkdir(path)
                grow(random, path, depth - 1)
            case "link":
                os.symlink(random.choice([*NAMES, b"../..", b"/etc/passwd"]), path)
                continue
            case "hard" if files:
                os.link(random.choice(files), path)
                continue
            case "hole":
                with open(path, "wb") as file:
                    file.truncate(random.randint(1, 3_000_000))
                    file.seek(random.randint(0, 1_000_000))
                    file.write(b"data")
            case "fifo":
                os.mkfifo(path)
            case _:
                with open(path, "wb") as file:
                    file.write(random.randbytes(random.choice(SIZES)))
        if stat.S_ISREG(os.lstat(path).st_mode):
            files.append(path)
        os.chmod(
            path,
            random.choice([0o755, 0o700, 0o775]) if os.path.isdir(path) else random.choice(MODES),
        )
        os.utime(
            path, ns=(0, random.randint(0, 2_000_000_000) * 10**9 + random.randint(0, 10**9 - 1))
        )


def described(root: bytes) -> dict[bytes, tuple[object, ...]]:
    """Describe a tree: kind, mode, time, and content, target, or which names are one file."""
    found: dict[bytes, tuple[object, ...]] = {}
    names: dict[int, bytes] = {}
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            status, inside = os.lstat(path), os.path.relpath(path, root)
            what: object = None
            if stat.S_ISLNK(status.st_mode):
                what = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    what = (file.read(), names.setdefault(status.st_ino, inside))
            mode = 0 if stat.S_ISLNK(status.st_mode) else status.st_mode
            found[inside] = (stat.S_IFMT(status.st_mode), mode, status.st_mtime_ns, what)
    return found


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_trees_come_back_as_they_went(debian: str, tmp_path: Path, batch: int) -> None:
    if os.getuid() != 0:
        # Who may not read a file of mode 000 cannot put it.
        MODES[:] = [mode | stat.S_IRUSR for mode in MODES]
    engine = find_engine(os.environ)
    info = engine.inspect(debian)
    there = f"/tmp/fuzz-{batch}"
    went, came = tmp_path / "went", tmp_path / "came"
    for number in range(TREES):
        tree = went / str(number)
        tree.mkdir(parents=True)
        grow(random.Random(batch * TREES + number), os.fsencode(tree), depth=4)

    put(engine, info, [str(went)], there, base="/", home=None)
    again = put(
        engine, info, [f"{went}/."], there, base="/", home=None, options=Options(update=True)
    )
    get(engine, info, [there], str(came), base="/", home=None)
    subprocess.run(engine.exec_argv(info.id, ["rm", "-rf", there]), check=True)

    assert described(os.fsencode(came)) == described(os.fsencode(went))
    assert again.files == 0
    holes = [
        path
        for path in came.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_size > 2_000_000
    ]
    assert all(path.stat().st_blocks * 512 < path.stat().st_size for path in holes)
