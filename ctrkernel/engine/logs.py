"""What a container's main process has printed, its two outputs told apart and in order.

The engine's CLI writes the outputs to two pipes, and what is read from two pipes has no order. So
the engine is asked for the time of each line, and lines that came at once are put in order by it.
"""

from __future__ import annotations

import itertools
import re
import time
from typing import TYPE_CHECKING

from ctrkernel.engine.lifecycle import reason_of
from ctrkernel.engine.process import Cancelled
from ctrkernel.engine.streams import STDERR, STDOUT
from ctrkernel.errors import CommandInterrupted, EngineError, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.engine import Engine


#: What ``--since`` takes: a duration in Go's notation, seconds since 1970, or RFC 3339's forms.
_SINCE = re.compile(
    r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+"
    r"|\d+(?:\.\d+)?"
    r"|\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?"
)
#: A line's time as the engines write it before the line, in its own width.
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) ")
#: Docker keeps a line in pieces of this size, and each has its time (moby, ``loggerutils``).
_PIECE = 16 * 1024
#: Bytes that wait for their order or for the end of their line before they go out as they are.
_HELD = 1 << 20
#: Pieces that are handed on at once, and seconds for each of them and at least between two times:
#: a Jupyter server drops what passes 1,000 messages a second.
_PIECES, _PIECE_TIME, _INTERVAL = 200, 0.002, 0.033


def check_since(since: str) -> str:
    """Return `since` if the engines understand it.

    Raises:
        UsageError: They would not.
    """
    if not _SINCE.fullmatch(since):
        raise UsageError(
            f"{one_line(since, limit=40)!r} is no time; type a duration such as 10m or 1h30m, "
            "or a moment such as 2026-01-31T09:00:00"
        )
    return since


def logs(
    engine: Engine,
    container: str,
    *,
    on_output: Callable[[str, str], None],
    tail: int | None = None,
    since: str | None = None,
    follow: bool = False,
    timestamps: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Hand on what the container's main process has printed, escape sequences kept.

    Args:
        engine: The engine's command line.
        container: Its name or id.
        on_output: Called with ``stdout`` or ``stderr``, and text.
        tail: Only that many of the last lines; None for all.
        since: Only what came since then: ``10m``, or a moment in RFC 3339's form.
        follow: Go on with what it prints, until it ends.
        timestamps: Keep the time before each line.
        cancelled: Asked now and then; true ends it.

    Raises:
        UsageError: `tail` is negative, or `since` is no time.
        ContainerNotFound: There is none.
        CommandInterrupted: `cancelled` said so.
        EngineError: The engine cannot read them, for instance with a log driver of another kind.
    """
    if tail is not None and tail < 0:
        raise UsageError(f"--tail {tail}: the number of lines cannot be negative; type --tail 20")
    if since is not None:
        check_since(since)
    info = engine.inspect(container)
    words = ["logs", "--timestamps"]
    if tail is not None:
        words.append(f"--tail={tail}")
    if since is not None:
        words.append(f"--since={since}")
    if follow:
        words.append("--follow")
    order = _Order(on_output, stamps=timestamps)

    def turn() -> bool:
        order.turn()
        return cancelled is not None and cancelled()

    try:
        status = engine.stream([*words, info.id], on_output=order.feed, cancelled=turn)
    except Cancelled as error:
        order.end()
        raise CommandInterrupted("interrupted") from error
    own = order.end()
    if status != 0:
        raise EngineError(
            f"the log of {info.name} cannot be read: {reason_of(own)}; "
            f"see `{engine.name} logs {info.name}`"
        )
    if own:
        on_output(STDERR, own)


def read_logs(
    engine: Engine, container: str, *, tail: int | None = None, since: str | None = None
) -> str:
    """Return what the container's main process has printed, both outputs in order."""
    pieces: list[str] = []
    logs(
        engine,
        container,
        on_output=lambda _, text: pieces.append(text),
        tail=tail,
        since=since,
    )
    return "".join(pieces)


class _Order:
    """Puts lines of two outputs in the order of their times and takes these off.

    Args:
        on_output: Takes an output's name and text.
        stamps: Leave the times.
    """

    def __init__(self, on_output: Callable[[str, str], None], *, stamps: bool) -> None:
        self._on_output = on_output
        self._stamps = stamps
        self._rest = {STDOUT: b"", STDERR: b""}
        #: Time, output, line: in the order in which they came.
        self._lines: list[tuple[bytes, str, bytes]] = []
        #: The time of the last line of each output since the last turn.
        self._last: dict[str, bytes] = {}
        #: What the engine says itself: lines on stderr without a time.
        self._own = b""
        #: Outputs whose last line went out before its end had come.
        self._cut: set[str] = set()
        self._size = 0
        #: When the next pieces may go out.
        self._due = 0.0

    def feed(self, name: str, data: bytes) -> None:
        """Take what came from one of the pipes."""
        *lines, rest = (self._rest[name] + data).split(b"\n")
        for line in lines:
            self._take(name, line + b"\n")
        if len(rest) > _HELD:
            self._take(name, rest)
            rest = b""
        self._rest[name] = rest

    def turn(self) -> None:
        """Hand on what is in order and due; called again and again, whether something came or not.

        Where both outputs came there may be more of the same time; that waits for the next turn.
        """
        early = time.monotonic() < self._due
        if early and self._size < _HELD:
            return
        until = min(self._last.values()) if len(self._last) > 1 else None
        self._last.clear()
        self._lines.sort(key=lambda line: line[0])
        ready = self._lines
        if until is not None:
            ready = [line for line in ready if line[0] <= until]
        self._lines = self._lines[len(ready) :]
        self._size = sum(len(line) for _, _, line in self._lines)
        pieces = _pieces(ready, most=2 if early else _PIECES)
        for name, text in pieces:
            self._on_output(name, text.decode(errors="replace"))
        self._due = time.monotonic() + max(_INTERVAL, _PIECE_TIME * len(pieces))

    def end(self) -> str:
        """Hand on the rest, and return the last of what the engine said itself."""
        for name, rest in self._rest.items():
            if rest:
                self._take(name, rest)
        self._last.clear()
        self._due = 0.0
        self.turn()
        return self._own.decode(errors="replace")

    def _take(self, name: str, line: bytes) -> None:
        stamp = _STAMP.match(line)
        begins = name not in self._cut
        (self._cut.discard if line.endswith(b"\n") else self._cut.add)(name)
        if stamp is None:
            if name == STDERR and begins:
                self._own = (self._own + line)[-_PIECE:]
                return
            when = self._lines[-1][0] if self._lines else b""
        else:
            when = self._last[name] = stamp[0]
            line = line if self._stamps else _without_stamps(line)
        self._size += len(line)
        self._lines.append((when, name, line))


def _pieces(lines: list[tuple[bytes, str, bytes]], *, most: int) -> list[tuple[str, bytes]]:
    """Join lines of one output that follow each other, into at most `most` pieces or so.

    Where the outputs take turns too often, each of a number of blocks has its stdout first.
    """
    runs = [(name, list(run)) for name, run in itertools.groupby(lines, key=lambda line: line[1])]
    if len(runs) > most:
        size = -(-len(lines) // (most // 2))
        blocks = (lines[start : start + size] for start in range(0, len(lines), size))
        runs = [
            (name, [line for line in block if line[1] == name])
            for block in blocks
            for name in (STDOUT, STDERR)
        ]
    return [(name, b"".join(line for _, _, line in run)) for name, run in runs if run]


def _without_stamps(line: bytes) -> bytes:
    """Take the times off a line: one before it, and one before each further piece of it."""
    pieces = []
    while stamp := _STAMP.match(line):
        piece = line[stamp.end() : stamp.end() + _PIECE]
        pieces.append(piece)
        line = line[stamp.end() + len(piece) :]
    return b"".join([*pieces, line])
