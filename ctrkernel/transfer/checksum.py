"""Checksums by whatever tool the container has, and the same ones here."""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.listing import batches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.pack import Digest

#: Seconds for the checksums of one batch: a terabyte on a slow disk.
CHECKSUM_TIMEOUT: Final = 3600.0
#: Reverses the bits of each byte.
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Cksum:
    """The CRC of POSIX's cksum, by way of zlib, whose bits run the other way."""

    def __init__(self) -> None:
        self._crc = 0xFFFFFFFF  # zlib inverts it before and after
        self._length = 0

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""
        self._crc = zlib.crc32(data.translate(_REVERSED), self._crc)
        self._length += len(data)

    def hexdigest(self) -> str:
        """Return it as cksum prints it: in decimal."""
        length = self._length.to_bytes((self._length.bit_length() + 7) // 8, "little")
        crc = zlib.crc32(length.translate(_REVERSED), self._crc)
        return str(int(f"{crc ^ 0xFFFFFFFF:032b}"[::-1], 2) ^ 0xFFFFFFFF)


#: Tools by preference, each with the same here and what its lines begin with.
TOOLS: Final[dict[str, tuple[Callable[[], Digest], str]]] = {
    "sha256sum": (hashlib.sha256, r"\\?([0-9a-f]{64}) [ *]"),
    "md5sum": (lambda: hashlib.md5(usedforsecurity=False), r"\\?([0-9a-f]{32}) [ *]"),
    "cksum": (Cksum, r"(\d+) \d+ "),
}


def tool_of(tools: frozenset[str]) -> str | None:
    """Return the best of the `tools` that a container has, if there is one."""
    return next((tool for tool in TOOLS if tool in tools), None)


def no_tool(name: str) -> TransferError:
    """Say that the container `name` cannot make checksums."""
    return TransferError(
        f"{one_line(name)} has no {', '.join(TOOLS)}, so contents cannot be compared; "
        "use --update, which goes by size and time"
    )


def remote_digests(
    engine: Engine,
    container: ContainerInfo,
    tool: str,
    paths: Sequence[str],
    *,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, str] | None:
    """Return the checksums of files in a container; None if one could not be read.

    Args:
        engine: The engine.
        container: A running container.
        tool: One of :data:`TOOLS`.
        paths: Absolute.
        cancelled: Asked now and then; true ends it and raises ``process.Cancelled``.
    """
    line = re.compile(f"^{TOOLS[tool][1]}/", re.MULTILINE)
    found: dict[str, str] = {}
    for words in batches(paths):
        command = engine.exec_argv(container.id, [tool, *words], user="0")
        done = engine.run(command[1:], timeout=CHECKSUM_TIMEOUT, cancelled=cancelled)
        sums = line.findall(done.stdout.decode("utf-8", "replace"))
        if done.exit_code or len(sums) != len(words):
            return None
        found.update(zip(words, sums, strict=True))
    return found


def local_digest(tool: str, path: str) -> str | None:
    """Return the checksum that `tool` would print of a file here; None if it cannot be read."""
    digest = TOOLS[tool][0]()
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - names may be undecodable
            while data := file.read(1024 * 1024):
                digest.update(data)
    except OSError:
        return None
    return digest.hexdigest()
