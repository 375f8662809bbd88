"""Header blocks read the short way are what ``tarfile`` reads."""

from __future__ import annotations

import random
import tarfile
from dataclasses import astuple, dataclass
from typing import Literal

import pytest

from ctrkernel.protocol.tar_header import read_header


@dataclass(frozen=True)
class _Case:
    name: str
    type: bytes = tarfile.REGTYPE
    size: int = 0
    mode: int = 0o644
    uid: int = 0
    mtime: int = 1_700_000_000
    target: str = ""
    format: Literal[0, 1] = tarfile.USTAR_FORMAT


CASES = [
    _Case("plain", size=2_000),
    _Case("folder/", type=tarfile.DIRTYPE, mode=0o755),
    _Case("link", type=tarfile.SYMTYPE, target="t" * 100),
    _Case("hard", type=tarfile.LNKTYPE, target="plain"),
    _Case("p" * 90 + "/" + "n" * 99),
    _Case("n" * 100),
    _Case("é\udcff".encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")),
    _Case("large", size=8**11, format=tarfile.GNU_FORMAT),
    _Case("uid", uid=2**31, format=tarfile.GNU_FORMAT),
    _Case("before 1970", mtime=-5, format=tarfile.GNU_FORMAT),
    _Case("fifo", type=tarfile.FIFOTYPE),
    _Case("old", type=tarfile.AREGTYPE),
    _Case("x", type=tarfile.XHDTYPE, size=30),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:12])
def test_a_header_reads_as_tarfile_reads_it(case: _Case) -> None:
    block = _block(case)

    assert tuple(read_header(block)) == _by_tarfile(block)


def test_a_damaged_header_reads_as_tarfile_reads_it_or_is_refused_by_both() -> None:
    chance = random.Random(1)
    for _ in range(5_000):
        case = chance.choice(CASES)
        block = bytearray(_block(case))
        # Not the device numbers: only devices have some.
        at = chance.choice([*range(329), *range(345, 500)])
        block[at] = chance.choice([0, 0x20, 0x2F, 0x37, 0x39, 0x5F, 0x80, 0xFF])
        if chance.random() < 0.8:
            block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * 0x20)

        assert _read(bytes(block)) == _by_tarfile(bytes(block)), astuple(case)


def _block(case: _Case) -> bytes:
    info = tarfile.TarInfo(case.name)
    info.type, info.size, info.mode = case.type, case.size, case.mode
    info.uid, info.mtime, info.linkname = case.uid, case.mtime, case.target
    return info.tobuf(case.format, "utf-8", "surrogateescape")[-tarfile.BLOCKSIZE :]


def _read(block: bytes) -> tuple[object, ...] | None:
    try:
        return tuple(read_header(block))
    except tarfile.HeaderError:
        return None


def _by_tarfile(block: bytes) -> tuple[object, ...] | None:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    numbers = (info.mode, info.uid, info.gid, info.size, info.mtime)
    return (info.name, *numbers, info.type, info.linkname)
