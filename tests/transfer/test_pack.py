"""A tree on this machine as an archive that other programs read."""

from __future__ import annotations

import io
import itertools
import os
import socket
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from ctrkernel.errors import TransferError
from ctrkernel.transfer.pack import Extent, FileSlice, Packer
from ctrkernel.transfer.tree import Root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "sub/f").write_bytes(b"x" * 1000)
    os.link(root / "sub/f", root / "sub/g")
    (root / "l").symlink_to("nowhere")
    os.mkfifo(root / "p")
    (root / "empty").mkdir()
    os.utime(root / "sub/f", ns=(0, 1_700_000_000_123_456_789))
    return root


def joined(chunks: Iterator[tuple[bytes | FileSlice, int]]) -> bytes:
    pieces = [
        os.read(one.descriptor, one.size) if isinstance(one, FileSlice) else one
        for one, _ in chunks
    ]
    return b"".join(pieces)


def packed(packer: Packer) -> dict[str, tarfile.TarInfo]:
    data = joined(packer.chunks())
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {info.name: info for info in tar.getmembers()}


def test_a_tree_is_packed_with_all_its_kinds(tree: Path) -> None:
    packer = Packer([Root(str(tree), "t")], stage=".stage", owner=(1000, 1001))

    members = packed(packer)

    assert next(iter(members)) == ".stage"
    assert set(members) == {
        ".stage",
        ".stage/t",
        ".stage/t/empty",
        ".stage/t/l",
        ".stage/t/p",
        ".stage/t/sub",
        ".stage/t/sub/f",
        ".stage/t/sub/g",
    }
    assert members[".stage"].mode == 0o700
    assert members[".stage/t/l"].linkname == "nowhere"
    assert members[".stage/t/p"].isfifo()
    assert members[".stage/t/sub/g"].islnk()
    assert members[".stage/t/sub/g"].linkname == ".stage/t/sub/f"
    assert members[".stage/t/sub/f"].pax_headers["mtime"] == "1700000000.123456789"
    assert {(one.uid, one.gid) for one in members.values()} == {(1000, 1001)}
    assert packer.measure() == Extent(files=2, bytes=1000, entries=7, weight=2000)


def test_contents_have_no_root(tree: Path) -> None:
    members = packed(Packer([Root(str(tree), None)]))

    assert "sub/f" in members
    assert "" not in members


def test_owners_are_kept_on_request(tree: Path) -> None:
    members = packed(Packer([Root(str(tree), "t")]))

    assert (members["t/sub"].uid, members["t/sub"].gid) == (os.getuid(), os.getgid())


def test_the_content_counts_come_with_the_pieces(tree: Path) -> None:
    assert sum(content for _, content in Packer([Root(str(tree), "t")]).chunks()) == 1000


def test_a_socket_is_left_out_and_said(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        packer = Packer([Root(str(tree), "t")])
        members = packed(packer)

    assert "t/s" not in members
    assert packer.notes == [f"left out {tree}/s: a socket or a device"]


def test_names_that_are_not_unicode_are_packed(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe")
    (tmp_path / name).write_text("x")

    for pax in (True, False):
        members = packed(Packer([Root(str(tmp_path), "t")], pax=pax))
        assert f"t/{name}" in members


def test_a_file_that_shrinks_while_it_is_read_is_said(tree: Path) -> None:
    chunks = Packer([Root(str(tree / "sub/f"), "f")]).chunks()
    next(chunks)
    os.truncate(tree / "sub/f", 0)

    with pytest.raises(TransferError, match="changed while it was read"):
        list(chunks)


def test_a_file_that_grows_while_it_is_read_comes_as_it_was(tree: Path) -> None:
    chunks = Packer([Root(str(tree / "sub/f"), "f")]).chunks()
    data = joined(itertools.islice(chunks, 1))
    with (tree / "sub/f").open("ab") as file:
        file.write(b"more")
    data += joined(chunks)

    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getmembers()[0].size == 1000


def test_a_file_that_goes_away_is_said(tree: Path) -> None:
    packer = Packer([Root(str(tree / "none"), "f")])

    with pytest.raises(TransferError, match=r"cannot read .*/none: no such file or directory"):
        packer.measure()


@pytest.mark.parametrize("closed", ["sub", "sub/f"])
def test_what_may_not_be_read_is_said(tree: Path, closed: str) -> None:
    """Root may read all, so another process gives its rights up first."""
    (tree / closed).chmod(0)
    tree.parent.chmod(0o755)
    for parent in tree.parents:
        parent.chmod(parent.stat().st_mode | 0o055)
    script = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from ctrkernel.errors import TransferError
from ctrkernel.transfer.pack import FileSlice, Packer
from ctrkernel.transfer.tree import Root
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    for _ in Packer([Root({str(tree)!r}, "t")]).chunks(): pass
except TransferError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )

    assert f"cannot read {tree}/{closed}" in done.stdout
    assert "permission denied" in done.stdout
