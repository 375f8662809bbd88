"""The archive parser: every case whole, byte by byte, and with a tail; hostile ones are refused.

It lives in `protocol/`, and is used by transfers alone.
"""

from __future__ import annotations

import io
import re
import tarfile
from typing import TYPE_CHECKING

import pytest

from ctrkernel.protocol import tar_stream
from ctrkernel.protocol.tar_pack import ARCHIVE_END, pack_header, padding
from ctrkernel.protocol.tar_stream import (
    ArchiveEnd,
    Data,
    Event,
    FileEnd,
    Kind,
    Member,
    NeedData,
    TarError,
    TarStream,
    split_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]


def archive(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return made.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, **values: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in values.items():
        setattr(info, key, value)
    return info


def parse(data: bytes, step: int) -> list[Event]:
    """Feed `data` in pieces of `step` bytes; content is joined, so that steps do not show."""
    stream = TarStream()
    events: list[Event] = []
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    while True:
        event = stream.next_event()
        if isinstance(event, NeedData):
            if pieces:
                stream.receive_data(pieces.pop(0))
            else:
                stream.receive_eof()
        elif isinstance(event, Data) and isinstance(events[-1], Data):
            events[-1] = Data(events[-1].data + event.data)
        else:
            events.append(event)
            if isinstance(event, ArchiveEnd):
                return events


def every_way(data: bytes) -> list[Event]:
    """Parse whole, byte by byte, in odd pieces, and with a tail: all must agree."""
    whole = parse(data, max(1, len(data)))
    assert parse(data, 1) == whole
    assert parse(data, 511) == whole
    assert parse(data + b"tail" * 300, 4096) == whole
    return whole


def refusals(data: bytes) -> list[str]:
    """Return why `data` is refused, read whole and byte by byte."""
    said = []
    for step in (max(1, len(data)), 1):
        with pytest.raises(TarError) as caught:
            parse(data, step)
        said.append(str(caught.value))
    return said


@pytest.mark.parametrize("form", FORMATS)
def test_every_kind_is_read_in_every_format(form: int) -> None:
    data = archive(
        (entry("d/", tarfile.DIRTYPE, mode=0o2755), b""),
        (entry("d/f", mode=0o4640, mtime=77, uid=5, gid=6), b"x" * 700),
        (entry("d/empty"), b""),
        (entry("d/l", tarfile.SYMTYPE, linkname="../f"), b""),
        (entry("d/h", tarfile.LNKTYPE, linkname="d/f"), b""),
        (entry("d/p", tarfile.FIFOTYPE), b""),
        (entry("d/c", tarfile.CHRTYPE), b""),
        form=form,
    )

    events = every_way(data)

    members = [event for event in events if isinstance(event, Member)]
    assert [(one.name, one.kind, one.target) for one in members] == [
        ("d", Kind.FOLDER, ""),
        ("d/f", Kind.FILE, ""),
        ("d/empty", Kind.FILE, ""),
        ("d/l", Kind.LINK, "../f"),
        ("d/h", Kind.HARD_LINK, "d/f"),
        ("d/p", Kind.FIFO, ""),
        ("d/c", Kind.DEVICE, ""),
    ]
    assert (members[0].mode, members[1].mode) == (0o2755, 0o4640)
    assert (members[1].mtime_ns, members[1].uid, members[1].gid) == (77_000_000_000, 5, 6)
    assert events[2:6] == [Data(b"x" * 700), FileEnd(), members[2], FileEnd()]
    assert isinstance(events[-1], ArchiveEnd)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(
    "name", ["n" * 300, "é/ü", "new\nline", "a" * 90 + "/" + "b" * 90, "-x", " "]
)
def test_names_and_links_of_any_length_come_whole(form: int, name: str) -> None:
    link = entry(name, tarfile.SYMTYPE, linkname=name + "t")

    events = every_way(archive((entry(name), b"1"), (link, b""), form=form))

    names = [(one.name, one.target) for one in events if isinstance(one, Member)]
    assert names == [(name, ""), (name, name + "t")]


def test_a_name_that_is_not_unicode_survives() -> None:
    name = b"\xff\xfe".decode("utf-8", "surrogateescape")

    events = every_way(archive((entry(name), b""), form=tarfile.GNU_FORMAT))

    assert isinstance(events[0], Member)
    assert events[0].name == name


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1.5", 1_500_000_000),
        ("1700000000.123456789", 1_700_000_000_123_456_789),
        ("1700000000.1234567891234", 1_700_000_000_123_456_789),
        ("-3", -3_000_000_000),
        ("-3.25", -3_250_000_000),
        ("0", 0),
    ],
)
def test_times_keep_their_nanoseconds(text: str, nanoseconds: int) -> None:
    events = every_way(archive((entry("f", pax_headers={"mtime": text}), b"")))

    assert isinstance(events[0], Member)
    assert events[0].mtime_ns == nanoseconds


def test_an_extended_header_speaks_for_one_member() -> None:
    events = every_way(archive((entry("a", pax_headers={"mtime": "9.5"}), b""), (entry("b"), b"")))

    times = [event.mtime_ns for event in events if isinstance(event, Member)]
    assert times == [9_500_000_000, 0]


def test_a_global_header_renames_nothing() -> None:
    made = io.BytesIO()
    with tarfile.open(
        fileobj=made, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": "/etc/passwd"}
    ) as tar:
        tar.addfile(entry("f"))

    events = every_way(made.getvalue())

    assert isinstance(events[0], Member)
    assert events[0].name == "f"


def test_an_archive_without_its_end_blocks_is_complete() -> None:
    data = archive((entry("f"), b"abc"))[:1024]

    assert isinstance(parse(data, 100)[-1], ArchiveEnd)


def test_an_empty_stream_is_an_empty_archive() -> None:
    assert parse(b"", 1) == [ArchiveEnd()]


@pytest.mark.parametrize("length", [1, 100, 511, 513, 600, 1023])
def test_an_archive_that_ends_early_is_refused(length: int) -> None:
    said = refusals(archive((entry("f"), b"x" * 512))[:length])

    assert all("ends early" in why for why in said)


def test_content_of_a_folder_is_the_next_header() -> None:
    """As Go's archive/tar reads it: a folder has no content, whatever it states."""
    folder = bytearray(entry("d/", tarfile.DIRTYPE).tobuf(tarfile.USTAR_FORMAT))
    folder = with_field(folder, 124, b"00000001000\0")

    events = every_way(bytes(folder) + archive((entry("f"), b"")))

    assert [event.name for event in events if isinstance(event, Member)] == ["d", "f"]


def with_field(block: bytearray, at: int, value: bytes) -> bytearray:
    """Return a header with a field replaced and the checksum mended."""
    block = bytearray(block)
    block[at : at + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return block


def plain_header() -> bytearray:
    return bytearray(entry("f").tobuf(tarfile.USTAR_FORMAT))


HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("noise", lambda: b"hello world " * 100, "damaged"),
    ("checksum", lambda: bytes(plain_header()).replace(b"f", b"g", 1), "damaged"),
    (
        "negative size",
        lambda: bytes(with_field(plain_header(), 124, b"\xff" * 12)),
        "negative size",
    ),
    ("no number", lambda: bytes(with_field(plain_header(), 124, b"zzzzzzzzzzz\0")), "damaged"),
    ("unknown type", lambda: bytes(with_field(plain_header(), 156, b"V")), "unknown type"),
    ("GNU sparse", lambda: bytes(with_field(plain_header(), 156, b"S")), "unknown type|damaged"),
    (
        "huge extended header",
        lambda: bytes(entry("x", b"x", size=1 << 40).tobuf(tarfile.GNU_FORMAT)),
        "extended header has",
    ),
    (
        "pax sparse",
        lambda: archive((entry("f", pax_headers={"GNU.sparse.major": "1"}), b"")),
        "sparse file",
    ),
    ("pax size", lambda: archive((entry("f", pax_headers={"size": "-5"}), b"")), "no number"),
    ("pax size text", lambda: archive((entry("f", pax_headers={"size": "1e9"}), b"")), "no number"),
    ("pax digits", lambda: archive((entry("f", pax_headers={"size": "9" * 99}), b"")), "no number"),
    ("pax time", lambda: archive((entry("f", pax_headers={"mtime": "nan"}), b"")), "no time"),
    ("pax fraction", lambda: archive((entry("f", pax_headers={"mtime": "1.x"}), b"")), "no time"),
]


@pytest.mark.parametrize(
    ("make", "match"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE]
)
def test_a_hostile_header_is_refused(make: Callable[[], bytes], match: str) -> None:
    said = refusals(make())

    assert all(re.search(match, why) for why in said)


@pytest.mark.parametrize(
    "record", [b"x", b"5 a=", b"999 a=b\n", b"6 ab\n ", b"0 a=b\n", b"-6 a=b\n", b"6 a=bc", b"\xff"]
)
def test_a_damaged_record_is_refused(record: bytes) -> None:
    header = entry("x", b"x", size=len(record)).tobuf(tarfile.USTAR_FORMAT)

    said = refusals(header + record + padding(len(record)) + ARCHIVE_END)

    assert all(re.search("damaged|ends early", why) for why in said)


def test_content_comes_in_pieces_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_stream, "DATA_LIMIT", 100)
    stream = TarStream()
    stream.receive_data(archive((entry("f"), b"x" * 1000)))
    stream.next_event()

    event = stream.next_event()

    assert event == Data(b"x" * 100)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a", ("a",)),
        ("./a//b/", ("a", "b")),
        ("./", ()),
        ("", ()),
        ("...", ("...",)),
        ("a..", ("a..",)),
    ],
)
def test_a_harmless_name_is_split(name: str, parts: tuple[str, ...]) -> None:
    assert split_name(name) == parts


@pytest.mark.parametrize("name", ["/etc/passwd", "//x", "..", "a/../../b", "../x", "a/..", "a\0b"])
def test_a_name_that_leads_away_is_refused(name: str) -> None:
    with pytest.raises(TarError, match=r"absolute|leaves|NUL"):
        split_name(name)


@pytest.mark.parametrize("pax", [True, False])
@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.DEVICE])
def test_what_is_packed_is_read_back(kind: Kind, pax: bool) -> None:
    member = Member(
        name="folder/" + "n" * 200 + "é",
        kind=kind,
        size=3 if kind is Kind.FILE else 0,
        mode=0o4751,
        mtime_ns=1_700_000_000_123_456_789 if pax else 1_700_000_000_000_000_000,
        target="t" * 200 if kind in {Kind.LINK, Kind.HARD_LINK} else "",
        uid=1_000_000_000,
        gid=77,
    )
    content = b"abc" + padding(3) if kind is Kind.FILE else b""

    events = every_way(pack_header(member, pax=pax) + content + ARCHIVE_END)

    assert events[0] == member


def test_a_device_is_not_packed() -> None:
    device = Member("c", Kind.DEVICE, 0, 0o600, 0, "", 0, 0)

    with pytest.raises(ValueError, match="cannot pack a device"):
        pack_header(device)


def test_content_that_went_past_the_parser_is_counted() -> None:
    header = pack_header(Member("a", Kind.FILE, 1_000, 0o644, 0, "", 0, 0))
    stream = TarStream()
    stream.receive_data(header)
    stream.next_event()
    assert isinstance(stream.next_event(), NeedData)
    assert stream.content_left == 1_000

    stream.pass_over(999)
    stream.receive_data(b"x" + bytes(24) + ARCHIVE_END)

    assert stream.next_event() == Data(b"x")
    assert isinstance(stream.next_event(), FileEnd)
    assert isinstance(stream.next_event(), ArchiveEnd)
    assert stream.content_left == 0
