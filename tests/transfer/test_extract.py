"""Hostile and honest archives, unpacked: nothing is written outside, whatever they say."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ctrkernel.errors import TransferError
from ctrkernel.protocol.tar_stream import Kind, Member, TarError, split_name
from ctrkernel.transfer.extract import Extractor, Limits, rebase


def member(name: str, kind: Kind = Kind.FILE, **values: object) -> Member:
    fields: dict[str, object] = {
        "size": 0,
        "mode": 0o755 if kind is Kind.FOLDER else 0o644,
        "mtime_ns": 1_000_000_000_000_000_123,
        "target": "",
        "uid": 4711,
        "gid": 4711,
        **values,
    }
    return Member(name=name, kind=kind, **fields)  # type: ignore[arg-type]


class Unpacking(Extractor):
    """Adds members by their names, as a get does."""

    def unpack(self, one: Member, content: bytes = b"") -> None:
        target = split_name(one.target) if one.kind is Kind.HARD_LINK else ()
        self.add(one, split_name(one.name), target=target)
        if one.kind is Kind.FILE:
            if content:
                self.write(content)
            self.end_file()


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """Return the folder to unpack in; beside it lies what must not be touched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    folder = tmp_path / "inside"
    folder.mkdir()
    return folder


@pytest.fixture
def unpacking(inside: Path) -> Unpacking:
    return Unpacking(str(inside), limits=Limits())


def untouched(inside: Path) -> bool:
    outside = inside.parent / "outside"
    return [one.name for one in outside.iterdir()] == ["victim"] and (
        outside / "victim"
    ).read_text() == "untouched"


def test_an_honest_tree_comes_whole(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("d", Kind.FOLDER, mode=0o750))
        unpacking.unpack(member("d/f", mode=0o640), b"content")
        unpacking.unpack(member("d/h", Kind.HARD_LINK, target="d/f"))
        unpacking.unpack(member("d/l", Kind.LINK, target="f"))
        unpacking.unpack(member("d/p", Kind.FIFO))
        unpacking.unpack(member("d/empty", Kind.FOLDER))
        unpacking.finish()

    found = (inside / "d/f").stat()
    assert (inside / "d/f").read_text() == "content"
    assert (stat.S_IMODE(found.st_mode), found.st_nlink) == (0o640, 2)
    assert found.st_mtime_ns == 1_000_000_000_000_000_123
    assert found.st_uid == os.getuid()
    assert (inside / "d").stat().st_mtime_ns == 1_000_000_000_000_000_123
    assert stat.S_IMODE((inside / "d").stat().st_mode) == 0o750
    assert (inside / "d/l").readlink() == Path("f")
    assert stat.S_ISFIFO((inside / "d/p").stat().st_mode)
    assert (unpacking.files, unpacking.bytes, unpacking.notes) == (2, 7, [])


@pytest.mark.parametrize("name", ["../outside/victim", "/outside/victim", "d/../../outside/x"])
def test_a_name_that_leads_away_is_refused(inside: Path, unpacking: Unpacking, name: str) -> None:
    with unpacking, pytest.raises(TarError):
        unpacking.unpack(member(name), b"owned")

    assert untouched(inside)


@pytest.mark.parametrize("target", ["../outside", "/", "."])
def test_nothing_is_written_through_a_link(inside: Path, unpacking: Unpacking, target: str) -> None:
    with unpacking:
        unpacking.unpack(member("l", Kind.LINK, target=target))
        with pytest.raises(TarError, match="through a link"):
            unpacking.unpack(member("l/victim"), b"owned")

    assert untouched(inside)


def test_a_folder_does_not_follow_a_link(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("l", Kind.LINK, target="../outside"))
        with pytest.raises(TarError, match="both as a folder and as something else"):
            unpacking.unpack(member("l", Kind.FOLDER, mode=0o777))

    assert stat.S_IMODE((inside.parent / "outside").stat().st_mode) != 0o777


def test_a_file_replaces_a_link_of_its_name(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("l", Kind.LINK, target="../outside/victim"))
        unpacking.unpack(member("l"), b"mine")
        unpacking.finish()

    assert (inside / "l").read_text() == "mine"
    assert untouched(inside)


def test_a_link_put_in_place_of_a_folder_is_refused(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("d", Kind.FOLDER))
        unpacking.unpack(member("d/f"), b"x")
        with pytest.raises(TarError, match="both as a folder"):
            unpacking.unpack(member("d", Kind.LINK, target="../outside"))

    assert untouched(inside)


@pytest.mark.parametrize("target", ["../outside/victim", "/etc/passwd", "nowhere", "d", "l", ""])
def test_a_hard_link_reaches_only_files_of_the_archive(
    inside: Path, unpacking: Unpacking, target: str
) -> None:
    with unpacking:
        unpacking.unpack(member("d", Kind.FOLDER))
        unpacking.unpack(member("l", Kind.LINK, target="../outside/victim"))
        with pytest.raises(TarError):
            unpacking.unpack(member("h", Kind.HARD_LINK, target=target))

    assert not (inside / "h").exists()
    assert (inside.parent / "outside/victim").stat().st_nlink == 1


def test_a_hard_link_does_not_go_through_a_link(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("l", Kind.LINK, target="../outside"))
        with pytest.raises(TarError, match="through a link"):
            unpacking.unpack(member("h", Kind.HARD_LINK, target="l/victim"))

    assert untouched(inside)


def test_devices_are_left_out_and_said(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("null", Kind.DEVICE, mode=0o666))

    assert list(inside.iterdir()) == []
    assert unpacking.notes == ["left out null: a device"]


def test_set_id_bits_are_dropped(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("d", Kind.FOLDER, mode=0o7755))
        unpacking.unpack(member("d/f", mode=0o6755))
        unpacking.finish()

    assert stat.S_IMODE((inside / "d").stat().st_mode) == 0o755
    assert stat.S_IMODE((inside / "d/f").stat().st_mode) == 0o755


def test_an_absolute_link_is_made_and_said(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("l", Kind.LINK, target="/etc/passwd"))

    assert (inside / "l").readlink() == Path("/etc/passwd")
    assert unpacking.notes == ["l is a link to /etc/passwd, which here is a file of this machine"]


def test_the_last_of_equal_names_counts(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("f", mode=0o400), b"first")
        unpacking.unpack(member("h", Kind.HARD_LINK, target="f"))
        unpacking.unpack(member("f"), b"second")

    assert (inside / "f").read_text() == "second"
    assert (inside / "h").read_text() == "first"


def test_a_folder_that_is_not_named_is_made(inside: Path, unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("a/b/f"), b"x")
        unpacking.finish()

    assert stat.S_IMODE((inside / "a/b").stat().st_mode) == 0o755


def test_what_lies_below_a_file_is_refused(unpacking: Unpacking) -> None:
    with unpacking:
        unpacking.unpack(member("f"), b"x")
        with pytest.raises(TarError, match="through a link or a file"):
            unpacking.unpack(member("f/g"), b"x")


def test_a_root_that_is_no_folder_is_refused(unpacking: Unpacking) -> None:
    with unpacking, pytest.raises(TarError, match="has no name"):
        unpacking.unpack(member("./"))


def test_closed_folders_are_filled_and_closed_at_the_end(
    inside: Path, unpacking: Unpacking
) -> None:
    with unpacking:
        unpacking.unpack(member("d", Kind.FOLDER, mode=0o000))
        unpacking.unpack(member("d/e", Kind.FOLDER, mode=0o500))
        unpacking.unpack(member("d/e/f"), b"x")
        unpacking.finish()

    assert stat.S_IMODE((inside / "d").stat().st_mode) == 0
    (inside / "d").chmod(0o700)
    assert (inside / "d/e/f").read_bytes() == b"x"


def test_too_many_members_are_refused(inside: Path) -> None:
    with Unpacking(str(inside), limits=Limits(members=2)) as unpacking:
        unpacking.unpack(member("a"))
        unpacking.unpack(member("b"))
        with pytest.raises(TransferError, match="more than 2 files"):
            unpacking.unpack(member("c"))


def test_too_many_bytes_are_refused(inside: Path) -> None:
    with Unpacking(str(inside), limits=Limits(bytes=10)) as unpacking:
        unpacking.add(member("a"), ("a",))
        unpacking.write(b"x" * 10)
        with pytest.raises(TransferError, match="more than 10 bytes"):
            unpacking.write(b"x")


def test_a_file_that_is_too_large_is_refused_before_it_comes(inside: Path) -> None:
    with (
        Unpacking(str(inside), limits=Limits(bytes=10)) as unpacking,
        pytest.raises(TransferError, match="more than 10 bytes"),
    ):
        unpacking.add(member("hole", size=11), ("hole",))


def test_a_name_that_the_disk_does_not_take_is_said(unpacking: Unpacking) -> None:
    with unpacking, pytest.raises(TransferError, match=r"cannot write .* file name too long"):
        unpacking.unpack(member("n" * 300))


def test_a_time_that_the_disk_does_not_hold_is_not_fatal(
    inside: Path, unpacking: Unpacking
) -> None:
    with unpacking:
        unpacking.unpack(member("f", mtime_ns=10**30), b"x")

    assert (inside / "f").read_bytes() == b"x"


def test_no_descriptor_stays_open_after_an_error(inside: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    with Unpacking(str(inside), limits=Limits()) as unpacking:
        unpacking.add(member("d/f"), ("d", "f"))
        with pytest.raises(TarError):
            unpacking.add(member("x/f"), ("d", "f", "g"))

    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("depth", "name", "parts"),
    [(1, "new", ("new", "b")), (1, None, ("b",)), (0, "new", ("new", "a", "b"))],
)
def test_a_path_gets_its_new_beginning(
    depth: int, name: str | None, parts: tuple[str, ...]
) -> None:
    assert rebase(("a", "b"), depth=depth, name=name) == parts
