"""What is killed in the middle of a copy leaves the old file or the new one, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import find_engine
from ctrkernel.errors import CtrKernelError
from ctrkernel.transfer import client
from ctrkernel.transfer.get import get
from ctrkernel.transfer.put import put

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 64 * 1024 * 1024
TIMEOUT = 60.0

#: Copies, and says when something moved.
COPY = """
import os, sys
sys.path[:0] = {path!r}
from ctrkernel.engine.engine import find_engine
from ctrkernel.transfer.{way} import {way}
engine = find_engine(os.environ)
def progress(moved, total):
    if moved:
        print("moved", flush=True)
        sys.stdin.read()
info = engine.inspect({name!r})
around = dict(base="/", home=None, on_progress=progress)
{way}(engine, info, {sources!r}, {destination!r}, **around)
"""


class Box:
    """A container with an old file, and a folder here with a new one."""

    def __init__(self, name: str, here: Path) -> None:
        self.engine = find_engine(os.environ)
        self.info = self.engine.inspect(name)
        self.here = here

    def run(self, script: str) -> str:
        argv = self.engine.exec_argv(self.info.id, ["sh", "-c", script])
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def kill_while(self, way: str, sources: list[str], destination: str) -> None:
        """Have a process copy, and kill it in the middle."""
        code = COPY.format(
            path=sys.path, way=way, name=self.info.name, sources=sources, destination=destination
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"moved\n"
            process.send_signal(signal.SIGKILL)


@pytest.fixture
def box(make_container: Callable[..., str], tmp_path: Path) -> Box:
    made = Box(make_container("debian", "--tmpfs=/scratch"), tmp_path)
    made.run("echo old > /srv/big; echo old > /scratch/big")
    (tmp_path / "big").write_bytes(os.urandom(1024 * 1024) * (SIZE // 1024 // 1024))
    (tmp_path / "small").mkdir()
    for number in range(3000):
        (tmp_path / f"small/{number}").write_bytes(b"x" * 500)
    return made


def settled(expected: object, look: Callable[[], object]) -> object:
    """Wait for what is tidied by a process of its own; return what is there then, or at last."""
    deadline = time.monotonic() + TIMEOUT
    while (found := look()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("folder", ["/srv", "/scratch"])
def test_a_kernel_that_is_killed_during_a_put_leaves_the_old_file(box: Box, folder: str) -> None:
    box.kill_while("put", [str(box.here / "big")], f"{folder}/big")

    whole = "old\nbig\n"
    assert settled(whole, lambda: box.run(f"cat {folder}/big; ls -A {folder}")) == whole


def test_a_kernel_that_is_killed_during_a_put_of_many_leaves_nothing(box: Box) -> None:
    box.kill_while("put", [str(box.here / "small")], "/srv/small")

    assert settled("big\n", lambda: box.run("ls -A /srv")) == "big\n"


@pytest.mark.parametrize("folder", ["/srv", "/scratch"])
def test_a_kernel_that_is_killed_during_a_get_leaves_the_old_file(box: Box, folder: str) -> None:
    box.run(f"head -c {SIZE} /dev/urandom > {folder}/big")
    into = box.here / "into"
    into.mkdir()
    (into / "big").write_text("old")
    box.kill_while("get", [f"{folder}/big"], str(into / "big"))

    assert settled(["big"], lambda: sorted(path.name for path in into.iterdir())) == ["big"]
    assert (into / "big").read_text() == "old"


def test_a_container_that_is_killed_keeps_the_old_file_and_the_next_put_tidies(box: Box) -> None:
    killed: list[subprocess.Popen[bytes]] = []

    def kill(moved: int, _: int | None) -> None:
        if not killed:
            # The engine's own kill waits for the copy in; a process inside does not.
            script = "kill -9 $(pidof sleep); kill 1"
            killed.append(subprocess.Popen(box.engine.exec_argv(box.info.id, ["sh", "-c", script])))
            killed[0].wait()

    with pytest.raises(CtrKernelError):
        put(
            box.engine,
            box.info,
            [str(box.here / "small")],
            "/srv/big2",
            base="/",
            home=None,
            on_progress=kill,
        )
    box.engine.run(["kill", box.info.name], timeout=TIMEOUT)
    box.engine.run(["start", box.info.name], timeout=TIMEOUT)
    assert box.run("cat /srv/big; ls /srv") == "old\nbig\n"

    (box.here / "f").write_text("new")
    put(
        box.engine,
        box.engine.inspect(box.info.name),
        [str(box.here / "f")],
        "/srv/f",
        base="/",
        home=None,
    )

    assert box.run("ls -A /srv") == "big\nf\n"


@pytest.mark.parametrize("way", ["put", "get"])
def test_an_engine_s_client_that_is_killed_leaves_the_old_file(
    box: Box, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LARGE", 2 * SIZE)  # else its socket would be used
    into = box.here / "into"
    into.mkdir()
    (into / "big").write_text("old")
    if way == "get":
        box.run(f"head -c {SIZE} /dev/zero > /srv/big")
    killed: list[int] = []

    def kill(moved: int, _: int | None) -> None:
        if not killed and moved:
            for pid in (one.name for one in Path("/proc").iterdir() if one.name.isdigit()):
                try:
                    line = Path(f"/proc/{pid}/cmdline").read_bytes()
                except OSError:
                    continue
                if b"\0cp\0" in line and box.info.id.encode() in line:
                    os.kill(int(pid), signal.SIGKILL)
                    killed.append(int(pid))

    copy, sources, destination = (
        (put, [str(box.here / "big")], "/srv/big")
        if way == "put"
        else (get, ["/srv/big"], str(into / "big"))
    )
    with pytest.raises(CtrKernelError, match=r"cannot (write|read)|is not unpacked"):
        copy(box.engine, box.info, sources, destination, base="/", home=None, on_progress=kill)

    assert len(killed) == 1
    assert (into / "big").read_text() == "old"
    assert sorted(path.name for path in into.iterdir()) == ["big"]
    if way == "put":
        assert box.run("cat /srv/big; ls -A /srv") == "old\nbig\n"


def test_a_get_tidies_what_a_power_cut_left(box: Box) -> None:
    left = box.here / "into/.ctrkernel-0123456789abcdef"
    left.mkdir(parents=True)
    (left / "half").write_text("half")

    get(box.engine, box.info, ["/srv/big"], str(left.parent), base="/", home=None)

    assert [path.name for path in left.parent.iterdir()] == ["big"]
