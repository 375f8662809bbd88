"""An engine that is killed in the middle of copies leaves old files; the next copy tidies."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import find_engine
from ctrkernel.errors import CtrKernelError
from ctrkernel.transfer.get import get
from ctrkernel.transfer.paths import container_path
from ctrkernel.transfer.put import put
from ctrkernel.transfer.relay import Remote, relay
from tests.integration.second_engine import (
    SECONDS,
    Killable,
    can_run_a_daemon,
    killable_engine,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.conftest import MakeContainer

SIZE = 32 * 1024 * 1024
#: Where a second daemon can be started it is killed, its containers with it or not.
ENGINES = ["way", *(["daemon", "daemon --live-restore"] if can_run_a_daemon() else [])]
OPTIONS = ["--init", "--tmpfs=/scratch"]


class Boxes:
    """Four containers of an engine that can be killed."""

    def __init__(self, killable: Killable, make: Callable[[], str]) -> None:
        self.killable = killable
        self.engine = find_engine(os.environ)
        self.names = [make() for _ in range(4)]
        for name in self.names:
            self.run(name, "mkdir -p /srv; echo old >/srv/big; echo old >/scratch/big")

    def run(self, name: str, script: str) -> str:
        argv = self.engine.exec_argv(name, ["sh", "-c", script])
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def put(self, name: str, source: Path, to: str, progress: Progress | None = None) -> None:
        info = self.engine.inspect(name)
        put(self.engine, info, [str(source)], to, base="/", home=None, on_progress=progress)

    def get(self, name: str, source: str, to: Path, progress: Progress) -> None:
        info = self.engine.inspect(name)
        get(self.engine, info, [source], str(to), base="/", home=None, on_progress=progress)

    def copy(self, source: tuple[str, str], to: tuple[str, str], progress: Progress) -> None:
        engine = self.engine
        ends = [
            Remote(engine, engine.inspect(name), container_path(path, base="/", home=None))
            for name, path in (source, to)
        ]
        relay(ends[:1], ends[1], on_progress=progress)


class Progress:
    """Holds copies up when something has moved, until the engine is killed."""

    def __init__(self, copies: int) -> None:
        self.all_move = threading.Barrier(copies + 1)
        self.killed = threading.Event()

    def __call__(self, moved: int, _: int | None) -> None:
        if moved and not self.killed.is_set():
            self.all_move.wait(SECONDS)
            assert self.killed.wait(SECONDS)


@pytest.fixture(params=ENGINES)
def boxes(request: pytest.FixtureRequest, make_container: MakeContainer) -> Iterator[Boxes]:
    kind, *options = request.param.split()
    with killable_engine(
        *options, daemon=kind == "daemon", make=make_container, box_options=OPTIONS
    ) as (killable, make):
        yield Boxes(killable, make)


def eventually(expected: str, look: Callable[[], str]) -> None:
    """Wait until what is tidied by a process of its own is tidied."""
    deadline = time.monotonic() + SECONDS
    while (found := look()) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_an_engine_that_is_killed_during_copies_leaves_the_old_files(
    boxes: Boxes, tmp_path: Path
) -> None:
    large, many, into = tmp_path / "large", tmp_path / "many", tmp_path / "into"
    large.write_bytes(bytes(SIZE))
    many.mkdir()
    for number in range(1500):
        (many / str(number)).write_bytes(bytes(500))
    into.mkdir()
    (into / "big").write_text("old")
    first, second, third, fourth = boxes.names
    for name, path in ((second, "/scratch/source"), (third, "/srv/source")):
        boxes.run(name, f"head -c {SIZE} /dev/zero >{path}")
    hold = Progress(4)
    with ThreadPoolExecutor() as pool:
        copies = [
            pool.submit(boxes.put, first, large, "/srv/big", hold),
            pool.submit(boxes.put, second, many, "/scratch/many", hold),
            pool.submit(boxes.get, third, "/srv/source", into / "big", hold),
            pool.submit(boxes.copy, (second, "/scratch/source"), (fourth, "/srv/big"), hold),
        ]
        hold.all_move.wait(SECONDS)
        boxes.killable.kill()
        hold.killed.set()
        errors = [copy.exception(SECONDS) for copy in copies]
    boxes.killable.start()
    for name in boxes.names:
        boxes.engine.run(["start", name], timeout=SECONDS)

    assert [type(error).__base__ for error in errors] == [CtrKernelError] * 4, errors
    assert [path.name for path in into.iterdir()] == ["big"]
    assert (into / "big").read_text() == "old"
    assert boxes.run(first, "cat /srv/big") == boxes.run(fourth, "cat /srv/big") == "old\n"
    assert "many" not in boxes.run(second, "ls /scratch")

    (tmp_path / "new").write_text("new\n")
    for name, folder in ((first, "/srv"), (second, "/scratch"), (fourth, "/srv")):
        boxes.put(name, tmp_path / "new", f"{folder}/new")

        assert boxes.run(name, f"cat {folder}/new") == "new\n"
        left = f"ls -d {folder}/.[!.]* 2>/dev/null; ps | grep '[t]ar -x'; true"
        eventually("", lambda name=name, left=left: boxes.run(name, left))  # type: ignore[misc]
