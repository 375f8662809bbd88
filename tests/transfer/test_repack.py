"""What one container's archive may make another container write."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from ctrkernel.errors import TransferError
from ctrkernel.protocol.tar_pack import ARCHIVE_END
from ctrkernel.protocol.tar_stream import Data, FileEnd, Kind, Member, TarError, split_name
from ctrkernel.transfer.extract import Limits, rebase
from ctrkernel.transfer.repack import Repacker

if TYPE_CHECKING:
    from collections.abc import Callable

STAGE = ".stage"


def member(name: str, kind: Kind = Kind.FILE, **fields: object) -> Member:
    values = {
        "size": 0,
        "mode": 0o644,
        "mtime_ns": 1_500_000_000_123_456_789,
        "target": "",
        "uid": 5,
        "gid": 6,
        **fields,
    }
    return Member(name=name, kind=kind, **values)  # type: ignore[arg-type]


def below(name: str | None) -> Callable[[str], tuple[str, ...]]:
    return lambda member: rebase(split_name(member), depth=1, name=name)


def repacker(**options: object) -> Repacker:
    values = {"stage": STAGE, "owner": (1000, 1001), "pax": True, "limits": Limits(), **options}
    made = Repacker(**values)  # type: ignore[arg-type]
    made.next_source(below("new"))
    return made


def packed(one: Repacker, *events: Member | Data | FileEnd) -> dict[str, tarfile.TarInfo]:
    """Return what tarfile reads of the archive that comes of some events, by name."""
    archive = one.begin() + b"".join(one.pack(event) for event in events) + ARCHIVE_END
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {each.name: each for each in opened.getmembers()}


def test_members_get_their_new_place_and_owner_and_keep_mode_and_time() -> None:
    found = packed(
        repacker(),
        member("old", Kind.FOLDER, mode=0o750),
        member("old/f", size=3),
        Data(b"abc"),
        FileEnd(),
    )

    assert list(found) == [STAGE, f"{STAGE}/new", f"{STAGE}/new/f"]
    file = found[f"{STAGE}/new/f"]
    assert (file.size, file.mode, file.uid, file.gid) == (3, 0o644, 1000, 1001)
    assert file.pax_headers["mtime"] == "1500000000.123456789"
    assert found[f"{STAGE}/new"].mode == 0o750


def test_owners_are_kept_where_that_is_wanted() -> None:
    found = packed(repacker(owner=None), member("old/f"), FileEnd())

    assert (found[f"{STAGE}/new/f"].uid, found[f"{STAGE}/new/f"].gid) == (5, 6)


def test_set_id_bits_are_dropped() -> None:
    assert packed(repacker(), member("old/f", mode=0o6755))[f"{STAGE}/new/f"].mode == 0o755


def test_a_device_is_left_out_and_named() -> None:
    one = repacker()

    assert list(packed(one, member("old/null", Kind.DEVICE))) == [STAGE]
    assert one.notes == ["left out old/null: a device"]


def test_links_are_passed_on_as_they_are() -> None:
    found = packed(repacker(), member("old/l", Kind.LINK, target="/etc/passwd"))

    assert found[f"{STAGE}/new/l"].linkname == "/etc/passwd"


def test_a_hard_link_leads_to_its_file_s_new_place() -> None:
    found = packed(
        repacker(), member("old/f"), FileEnd(), member("old/h", Kind.HARD_LINK, target="old/f")
    )

    assert found[f"{STAGE}/new/h"].islnk()
    assert found[f"{STAGE}/new/h"].linkname == f"{STAGE}/new/f"


def test_a_second_name_of_a_link_is_a_link() -> None:
    found = packed(
        repacker(),
        member("old/l", Kind.LINK, target="f"),
        member("old/h", Kind.HARD_LINK, target="old/l"),
    )

    assert found[f"{STAGE}/new/h"].issym()
    assert found[f"{STAGE}/new/h"].linkname == "f"


@pytest.mark.parametrize(
    "events",
    [
        [member("/etc/passwd")],
        [member("old/../../etc/passwd")],
        [member("..")],
        [member("old/l", Kind.LINK, target="/etc"), member("old/l/passwd")],
        [member("old/l", Kind.LINK, target="/etc"), member("old/l/deep/er", Kind.FOLDER)],
        [member("old/l", Kind.LINK, target="/etc/passwd"), member("old/l")],
        [member("old/l", Kind.LINK, target="/etc"), member("old/l", Kind.FOLDER)],
        [member("old/f"), member("old/f", Kind.LINK, target="/etc/passwd")],
        [member("old/h", Kind.HARD_LINK, target="/etc/passwd")],
        [member("old/h", Kind.HARD_LINK, target="old/../../etc/passwd")],
        [member("old/h", Kind.HARD_LINK, target="old/never")],
        [member("old/h", Kind.HARD_LINK, target="old")],
        [member("old/x\0y")],
    ],
    ids=str,
)
def test_what_would_write_elsewhere_is_refused(events: list[Member]) -> None:
    with pytest.raises(TarError):
        packed(repacker(), *events)


def test_there_are_limits() -> None:
    with pytest.raises(TransferError, match="more than 2 files"):
        packed(repacker(limits=Limits(members=2)), member("o/a"), member("o/b"), member("o/c"))
    with pytest.raises(TransferError, match="more than 2 bytes"):
        packed(repacker(limits=Limits(bytes=2)), member("o/a", size=3), Data(b"abc"))


def test_the_content_of_a_folder_goes_right_into_the_place() -> None:
    one = repacker()
    one.next_source(below(None))

    found = packed(one, member("old", Kind.FOLDER), member("old/f"))

    assert list(found) == [STAGE, f"{STAGE}/f"]


def test_without_a_stage_members_are_written_in_place() -> None:
    assert list(packed(repacker(stage=None), member("old/f"))) == ["new/f"]
