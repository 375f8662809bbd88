"""The archive that a child prints, event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import (
    ArchiveEnd,
    Data,
    FileEnd,
    Member,
    NeedData,
    TarError,
    TarStream,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ctrkernel.transfer.client import Client


class Incoming:
    """The events of the archive that a child prints.

    Args:
        child: Prints it; nothing is written to it.
        timeout: Seconds that may pass without a byte.
    """

    def __init__(self, child: Client, *, timeout: float) -> None:
        child.close_stdin()
        self._child = child
        self._timeout = timeout
        self._stream = TarStream()
        #: Bytes of the archive that were read; what :meth:`pass_content` moved is not among them.
        self.received = 0
        #: Whether the last event has been given.
        self.ended = False

    @property
    def terminated(self) -> bool:
        """Whether the archive came to its own end: a client that failed early prints none."""
        return self._stream.terminated

    def next(self) -> Member | Data | FileEnd | ArchiveEnd:
        """Return the next event.

        Raises:
            TarError: The archive is damaged, or ends early.
            process.Stalled: Nothing came in time.
            process.Cancelled: The child's ``cancelled`` said so.
        """
        while True:
            event = self._stream.next_event()
            if not isinstance(event, NeedData):
                self.ended = isinstance(event, ArchiveEnd)
                return event
            data = self._child.read(timeout=self._timeout)
            self.received += len(data)
            if data:
                self._stream.receive_data(data)
            else:
                self._stream.receive_eof()

    def __iter__(self) -> Iterator[Member | Data | FileEnd]:
        """Give all events up to the archive's end; raises as :meth:`next` does."""
        while not isinstance(event := self.next(), ArchiveEnd):
            yield event

    @property
    def content_left(self) -> int:
        """Bytes of a file's content that have not been read and may go past the parser, if any."""
        return self._stream.content_left

    def pass_content(self, take: Callable[[Callable[[int, int], int]], int]) -> int:
        """Let content go from the child into a file by itself; return how much went.

        Args:
            take: Given what moves bytes into a descriptor at an offset, has it do so.
        """
        left = self._stream.content_left
        moved = take(
            lambda file, at: self._child.read_file(file, left, at=at, timeout=self._timeout)
        )
        self._stream.pass_over(moved)
        return moved


def unsafe(where: str, error: TarError) -> TransferError:
    """Say that an archive is damaged, or hostile."""
    return TransferError(
        f"what came from {where} is not unpacked: {one_line(str(error), limit=160)}; "
        "look at it with `ls -la` in a cell"
    )
