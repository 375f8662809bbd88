"""A put or get that fails, is interrupted, or is lied to leaves the destination as it was."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.engine import Engine, find_engine
from ctrkernel.engine.process import Child
from ctrkernel.errors import ContainerNotFound, TransferError, TransferInterrupted
from ctrkernel.transfer.extract import Limits
from ctrkernel.transfer.get import get
from ctrkernel.transfer.listing import trees_by_archive
from ctrkernel.transfer.paths import container_path
from ctrkernel.transfer.put import put
from ctrkernel.transfer.relay import Remote, relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ctrkernel.engine.container import ContainerInfo

    Progress = Callable[[int, int | None], None]

SIZE = 48 * 1024 * 1024
ANSWER = 60.0


@pytest.fixture
def engine(engine_program: str) -> Engine:
    assert engine_program
    return find_engine(os.environ)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a file that takes a while."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "big").write_bytes(os.urandom(1024 * 1024) * (SIZE // 1024 // 1024))
    return tmp_path


@pytest.fixture
def start(engine: Engine, make_container: Callable[..., str]) -> Callable[..., ContainerInfo]:
    """Return a function that starts a container with an old file at /srv/big and /scratch/big."""

    def begin(*options: str, image: str = "debian") -> ContainerInfo:
        info = engine.inspect(make_container(image, "--tmpfs=/scratch", *options))
        run(engine, info, "mkdir -p /srv; echo old > /srv/big; echo old > /scratch/big")
        return info

    return begin


def run(engine: Engine, info: ContainerInfo, script: str) -> str:
    argv = engine.exec_argv(info.id, ["sh", "-c", script])
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def clients(info: ContainerInfo) -> str:
    """Return the engine's clients that still copy into a container, or out of it."""
    listing = subprocess.run(["ps", "-ewwo", "args"], check=True, capture_output=True, text=True)
    # Others list all containers, and the shim of each one names it too.
    return "".join(
        line
        for line in listing.stdout.splitlines()
        if info.id in line and line.split()[1:2] in (["cp"], ["exec"])
    )


class Stop:
    """Says stop once something moved."""

    def __init__(self) -> None:
        self.moved = 0

    def progress(self, moved: int, _: int | None) -> None:
        self.moved = moved

    def __call__(self) -> bool:
        return self.moved > 0


@pytest.mark.parametrize("image", ["debian", "busybox"])
@pytest.mark.parametrize("folder", ["/srv", "/scratch"])
@pytest.mark.usefixtures("here")
def test_an_interrupted_put_leaves_the_old_file(
    engine: Engine, start: Callable[..., ContainerInfo], folder: str, image: str
) -> None:
    info, stop = start(image=image), Stop()

    with pytest.raises(TransferInterrupted, match="was interrupted"):
        put(
            engine,
            info,
            ["big"],
            ".",
            base=folder,
            home=None,
            on_progress=stop.progress,
            cancelled=stop,
        )

    assert 0 < stop.moved < SIZE
    assert run(engine, info, f"cat {folder}/big; ls -A {folder}") == "old\nbig\n"
    assert clients(info) == ""


@pytest.mark.parametrize("folder", ["/srv", "/scratch"])
def test_an_interrupted_get_leaves_the_old_file(
    engine: Engine, start: Callable[..., ContainerInfo], here: Path, folder: str
) -> None:
    info, stop = start(), Stop()
    run(engine, info, f"head -c {SIZE} /dev/zero > {folder}/big")
    (here / "big").write_text("old")

    with pytest.raises(TransferInterrupted, match="was interrupted"):
        get(
            engine,
            info,
            ["big"],
            ".",
            base=folder,
            home=None,
            on_progress=stop.progress,
            cancelled=stop,
        )

    assert 0 < stop.moved < SIZE
    assert [path.name for path in here.iterdir()] == ["big"]
    assert (here / "big").read_text() == "old"
    assert clients(info) == ""


@pytest.mark.usefixtures("here")
def test_a_keyboard_interrupt_leaves_the_old_file(
    engine: Engine, start: Callable[..., ContainerInfo]
) -> None:
    info = start()

    def interrupt(_: int, __: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put(engine, info, ["big"], ".", base="/srv", home=None, on_progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        get(engine, info, ["big"], "back", base="/srv", home=None, on_progress=interrupt)

    assert run(engine, info, "cat /srv/big; ls -A /srv") == "old\nbig\n"
    assert [name for name in os.listdir(".") if name != "big"] == []  # noqa: PTH208
    assert clients(info) == ""


@pytest.fixture
def killer(engine: Engine) -> Callable[[ContainerInfo], AbstractContextManager[Progress]]:
    """Return a function that makes a progress callback which ends a container.

    The engine's own kill would wait for the copy, so a process inside does it.
    """

    @contextmanager
    def ready(info: ContainerInfo) -> Iterator[Progress]:
        script = "echo ready; read go; kill 1; kill $(pidof sleep)"
        argv = engine.exec_argv(info.id, ["sh", "-c", script], interactive=True)
        with Child(argv) as child:
            child.read(timeout=ANSWER)
            asked: list[int] = []

            def kill(moved: int, _: int | None) -> None:
                if not asked:
                    asked.append(moved)
                    child.write(b"go\n", timeout=ANSWER)
                    child.wait(timeout=ANSWER)

            yield kill

    return ready


@pytest.mark.parametrize("folder", ["/srv", "/scratch"])
@pytest.mark.usefixtures("here")
def test_a_container_that_dies_during_a_put_is_said(
    engine: Engine,
    start: Callable[..., ContainerInfo],
    killer: Callable[[ContainerInfo], AbstractContextManager[Progress]],
    folder: str,
) -> None:
    info = start()
    said = rf"{info.name} is stopped .*docker start {info.name}"

    with killer(info) as kill, pytest.raises(TransferError, match=said):
        put(engine, info, ["big"], ".", base=folder, home=None, on_progress=kill)

    engine.run(["start", info.name], timeout=ANSWER)
    assert run(engine, info, "cat /srv/big") == "old\n"
    assert clients(info) == ""


def test_a_container_that_goes_away_during_a_get_is_said(
    engine: Engine,
    start: Callable[..., ContainerInfo],
    killer: Callable[[ContainerInfo], AbstractContextManager[Progress]],
    here: Path,
) -> None:
    info = start("--rm")
    run(engine, info, f"head -c {SIZE} /dev/zero > /scratch/big")
    said = r"cannot read .*: (no container|container .* is (stopped|being removed))"

    with killer(info) as kill, pytest.raises(TransferError, match=said):
        get(engine, info, ["/scratch/big"], "new", base="/", home=None, on_progress=kill)

    assert [path.name for path in here.iterdir()] == ["big"]
    assert clients(info) == ""


def test_a_container_that_is_gone_is_said(
    engine: Engine, start: Callable[..., ContainerInfo], here: Path
) -> None:
    info = start()
    engine.run(["rm", "-f", info.name], timeout=ANSWER)

    with pytest.raises(ContainerNotFound):
        put(engine, info, ["big"], "/srv", base="/", home=None)
    with pytest.raises(ContainerNotFound):
        get(engine, info, ["/srv/big"], "new", base="/", home=None)

    assert [path.name for path in here.iterdir()] == ["big"]


@pytest.mark.usefixtures("here")
def test_a_full_disk_there_is_said(engine: Engine, start: Callable[..., ContainerInfo]) -> None:
    info = start("--tmpfs=/small:size=4m")
    run(engine, info, "echo old > /small/big")

    with pytest.raises(TransferError, match=r"cannot write to .*df -h") as caught:
        put(engine, info, ["big"], "/small", base="/", home=None)

    assert "\n" not in str(caught.value)
    assert run(engine, info, "cat /small/big; ls -A /small") == "old\nbig\n"


def test_a_full_disk_here_is_said(
    engine: Engine,
    start: Callable[..., ContainerInfo],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    info = start()
    run(engine, info, f"head -c {SIZE} /dev/zero > /srv/big")
    (here / "big").write_text("old")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", full)
        with pytest.raises(TransferError, match=r"no space left on device; see `df -h") as caught:
            get(engine, info, ["/srv/big"], ".", base="/", home=None)

    assert "\n" not in str(caught.value)
    assert [path.name for path in here.iterdir()] == ["big"]
    assert (here / "big").read_text() == "old"
    assert clients(info) == ""


@pytest.mark.usefixtures("here")
def test_a_put_that_stalls_is_given_up_and_leaves_the_old_file(
    engine: Engine,
    start: Callable[..., ContainerInfo],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    info = start()
    program = tmp_path / "docker"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in "cp - "*) exec sleep 60;; *) exec {engine.program} "$@";; esac\n'
    )
    program.chmod(0o755)
    liar = Engine(program=str(program), name="docker")
    monkeypatch.setattr("ctrkernel.transfer.client.LARGE", 2 * SIZE)  # else its socket is used

    with pytest.raises(TransferError, match=r"moved no byte for 0\.3 s and was given up"):
        put(liar, info, ["big"], "/srv", base="/", home=None, stall_timeout=0.3)

    assert run(engine, info, "cat /srv/big; ls -A /srv") == "old\nbig\n"


def lying(engine: Engine, tmp_path: Path, body: str) -> Engine:
    """Make a client that does `body` for a copy out of the container, else what it should."""
    program = tmp_path / "docker"
    real = engine.program
    program.write_text(
        f'#!/bin/sh\ncase "$*" in "cp "*" -"|"exec "*" tar --format"*) {body};; '
        f'*) exec {real} "$@";; esac\n'
    )
    program.chmod(0o755)
    return Engine(program=str(program), name=engine.name)


def archive(*members: tuple[str, bytes, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, kind, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            info.size = 5 if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"owned"))
    return made.getvalue()


def sparse() -> bytes:
    """Make an archive of a file that says to be of eight exabytes, nearly all of it a hole."""
    info = tarfile.TarInfo("GNUSparseFile.0/f")
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "srv/f",
        "GNU.sparse.realsize": str(2**63 - 1),
    }
    return info.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


HOSTILE = {
    "climbs": archive(("srv", tarfile.DIRTYPE, ""), ("srv/../../victim", tarfile.REGTYPE, "")),
    "absolute": archive(("/victim", tarfile.REGTYPE, "")),
    "through a link": archive(
        ("srv", tarfile.DIRTYPE, ""),
        ("srv/l", tarfile.SYMTYPE, "../.."),
        ("srv/l/victim", tarfile.REGTYPE, ""),
    ),
    "root is a link": archive(("srv", tarfile.SYMTYPE, ".."), ("srv/victim", tarfile.REGTYPE, "")),
    "hard link out": archive(
        ("srv", tarfile.DIRTYPE, ""), ("srv/h", tarfile.LNKTYPE, "../../victim")
    ),
    "hard link to an absolute name": archive(
        ("srv", tarfile.DIRTYPE, ""), ("srv/h", tarfile.LNKTYPE, "/etc/passwd")
    ),
    "hard link through a link": archive(
        ("srv", tarfile.DIRTYPE, ""),
        ("srv/l", tarfile.SYMTYPE, ".."),
        ("srv/h", tarfile.LNKTYPE, "srv/l/victim"),
    ),
    "a link in the place of a folder": archive(
        ("srv", tarfile.DIRTYPE, ""),
        ("srv/d", tarfile.DIRTYPE, ""),
        ("srv/d", tarfile.SYMTYPE, "../.."),
        ("srv/d/victim", tarfile.REGTYPE, ""),
    ),
    "a file in the place of a folder": archive(
        ("srv", tarfile.DIRTYPE, ""), ("srv/d", tarfile.DIRTYPE, ""), ("srv/d", tarfile.REGTYPE, "")
    ),
    "huge and sparse": sparse(),
    "unknown": archive(("srv", tarfile.DIRTYPE, ""), ("srv/x", b"V", "")),
    "ends early": archive(("srv", tarfile.DIRTYPE, ""), ("srv/f", tarfile.REGTYPE, ""))[:1200],
    "noise": os.urandom(2000),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("destination", ["new", "into"])
def test_a_hostile_archive_writes_nothing(
    engine: Engine, debian: str, tmp_path: Path, case: str, destination: str
) -> None:
    (tmp_path / "hostile.tar").write_bytes(HOSTILE[case])
    liar = lying(engine, tmp_path, f"cat {tmp_path}/hostile.tar")
    work = tmp_path / "work"
    (work / "into").mkdir(parents=True)
    (tmp_path / "victim").write_text("untouched")
    (work / "victim").write_text("untouched")

    with pytest.raises(TransferError, match="is not unpacked: ") as caught:
        get(liar, liar.inspect(debian), ["/srv"], str(work / destination), base="/", home=None)

    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in work.rglob("*")) == ["into", "victim"]
    assert (tmp_path / "victim").read_text() == (work / "victim").read_text() == "untouched"
    assert (tmp_path / "victim").stat().st_nlink == 1


def test_an_engine_that_stalls_is_given_up(engine: Engine, debian: str, tmp_path: Path) -> None:
    liar = lying(engine, tmp_path, "exec sleep 60")
    work = tmp_path / "work"
    work.mkdir()

    with pytest.raises(TransferError, match=r"moved no byte for 0\.3 s and was given up"):
        get(
            liar,
            liar.inspect(debian),
            ["/srv"],
            str(work),
            base="/",
            home=None,
            stall_timeout=0.3,
        )

    assert list(work.iterdir()) == []


def test_an_engine_that_fails_is_quoted_in_one_line(
    engine: Engine, debian: str, tmp_path: Path
) -> None:
    liar = lying(engine, tmp_path, "echo one >&2; echo two >&2; exit 1")

    with pytest.raises(TransferError, match=r"cannot read .*:/srv: one two; look at it"):
        get(liar, liar.inspect(debian), ["/srv"], str(tmp_path / "new"), base="/", home=None)


def test_an_archive_with_nothing_in_it_is_no_success(
    engine: Engine, debian: str, tmp_path: Path
) -> None:
    liar = lying(engine, tmp_path, "head -c 10240 /dev/zero")

    with pytest.raises(TransferError, match=r"archive of .*:/etc/hostname is empty"):
        get(liar, liar.inspect(debian), ["/etc/hostname"], str(tmp_path), base="/", home=None)


def test_an_exec_that_fails_with_tars_status_for_a_change_is_a_failure(
    engine: Engine, debian: str, make_container: Callable[..., str], tmp_path: Path
) -> None:
    liar = lying(engine, tmp_path, "echo broken >&2; exit 1")
    info, other = liar.inspect(debian), liar.inspect(make_container())
    source = Remote(liar, info, container_path("/srv", base="/", home=None))
    there = Remote(liar, other, container_path("/srv/new", base="/", home=None))

    with pytest.raises(TransferError, match=r"cannot read .*:/srv: broken; look at it"):
        get(liar, info, ["/srv"], str(tmp_path / "new"), base="/", home=None)
    with pytest.raises(TransferError, match=r"cannot read .*:/srv: broken; look at it"):
        relay([source], there)

    assert run(engine, other, "ls -A /srv") == ""
    assert [path.name for path in tmp_path.iterdir()] == ["docker"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{real} rm -f {name} >&2; exit 1", "cannot list .*:/srv: no container"),
        ("cat {archive}; echo broken >&2; exit 1", "cannot list .*:/srv: broken; look at it"),
    ],
)
def test_a_listing_that_fails_is_no_empty_folder(
    engine: Engine, make_container: Callable[..., str], tmp_path: Path, body: str, said: str
) -> None:
    name, made = make_container(), tmp_path / "some.tar"
    made.write_bytes(archive(("srv", tarfile.DIRTYPE, "")))
    body = body.format(real=engine.program, name=name, archive=made)
    liar = lying(engine, tmp_path, body)

    with pytest.raises(TransferError, match=said):
        trees_by_archive(liar, engine.inspect(name), ["/srv"], timeout=ANSWER, cancelled=None)


def test_a_listing_leaves_out_what_is_not_there(engine: Engine, debian: str) -> None:
    info = engine.inspect(debian)

    found = trees_by_archive(engine, info, ["/none", "/etc/hostname"], timeout=60, cancelled=None)

    assert list(found) == ["/etc/hostname"]


def test_what_is_odd_and_harmless_is_unpacked_safely(
    engine: Engine, debian: str, tmp_path: Path
) -> None:
    odd = io.BytesIO()
    with tarfile.open(fileobj=odd, mode="w") as tar:
        for name, kind, mode, content in [
            ("srv", tarfile.DIRTYPE, 0o7777, b""),
            ("srv/twice", tarfile.REGTYPE, 0o644, b"first"),
            ("srv/twice", tarfile.REGTYPE, 0o6755, b"last"),
            ("srv/Case", tarfile.REGTYPE, 0o644, b"upper"),
            ("srv/case", tarfile.REGTYPE, 0o644, b"lower"),
            ("srv/device", tarfile.CHRTYPE, 0o666, b""),
            ("srv/disk", tarfile.BLKTYPE, 0o666, b""),
        ]:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.size = kind, mode, len(content)
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("srv/absolute")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    (tmp_path / "odd.tar").write_bytes(odd.getvalue())
    liar = lying(engine, tmp_path, f"cat {tmp_path}/odd.tar")
    work = tmp_path / "work"

    done = get(liar, liar.inspect(debian), ["/srv"], str(work), base="/", home=None)

    assert sorted(path.name for path in work.iterdir()) == ["Case", "absolute", "case", "twice"]
    assert (work / "twice").read_text() == "last"
    assert ((work / "twice").stat().st_mode | work.stat().st_mode) & 0o7000 == 0
    assert [note.split(":")[0] for note in done.notes if note.startswith("left out")] == [
        "left out srv/device",
        "left out srv/disk",
    ]
    assert "srv/absolute is a link to /etc/passwd, which here is" in " ".join(done.notes)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(bytes=4), "more than 4 bytes; raise --max-size"),
        (Limits(members=1), "more than 1 files; raise --max-files"),
    ],
)
def test_what_is_too_much_is_refused(
    engine: Engine, debian: str, tmp_path: Path, limits: Limits, said: str
) -> None:
    info = engine.inspect(debian)
    run(engine, info, "mkdir -p /tmp/much; echo 12345 > /tmp/much/a; echo 12345 > /tmp/much/b")

    with pytest.raises(TransferError, match=said):
        get(engine, info, ["/tmp/much"], str(tmp_path / "x"), base="/", home=None, limits=limits)

    assert list(tmp_path.iterdir()) == []
