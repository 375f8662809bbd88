"""A terminal that is scripted, with as much of a shell behind it as a session can tell."""

from __future__ import annotations

import re
import shutil
import socket
from typing import TYPE_CHECKING

import pytest

from ctrkernel.protocol.marks import BEL, HOME_MARK, INTRODUCER, Kind
from ctrkernel.session.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: How each shell is started without its start files.
SHELLS = {
    "bash": ("bash", "--norc", "--noprofile"),
    "dash": ("dash",),
    "ash": ("busybox", "ash"),
    "zsh": ("zsh", "-f"),
}
#: What the scripted shell says of itself.
PID, STARTED = 31, 4711
_STAT = b"31 (bash) S 1 31 31 34816 31 4194560 2 3 0 0 1 2 3 4 20 0 1 0 4711 2 3 4 5 6 8192"
_HELLO = re.compile(rb"133;H;([0-9a-f]+);")
_CELL = re.compile(rb"__ctrk_c=\$'(.*?)'; __ctrk_g=(\d+)")


class ScriptedShell:
    """Answers what is typed as bash would, one line at a time.

    Args:
        cells: What each cell writes; an int is the status with which the shell exits.
        silent: Answer nothing at all.
    """

    def __init__(self, cells: Mapping[str, bytes | int | None], *, silent: bool = False) -> None:
        self._cells = cells
        self._silent = silent
        self._nonce = b""
        self.seq = 0
        self.said_hello = 0

    def answer(self, line: bytes) -> bytes | int:
        """Return what a line brings to the terminal, or the status with which it all ends."""
        if found := _HELLO.search(line):
            self.said_hello += 1
            if self._silent:
                return b"still reading start files\n"
            self._nonce = found[1]
            return self._mark(Kind.HELLO, b"%d" % PID, b"5.2", b"", b"0", b"himBHs", _STAT)
        if line.startswith(b" { __ctrk_p="):
            return self._mark(Kind.PROMPT, b"0", b"0", b"0", b"himBHs", b"/")
        if found := _CELL.search(line):
            self.seq = int(found[2])
            output = self._cells.get(found[1].decode(), b"")
            if isinstance(output, int):
                return output
            begin = self._mark(Kind.BEGIN, found[2])
            # A cell without an output never ends by itself.
            return begin if output is None else begin + output + self.end()
        return b""

    def end(self, status: int = 0) -> bytes:
        """Return the mark with which the cell ends that is running."""
        code = b"%d" % status
        places = b"/srv" + HOME_MARK + b"/root"
        number = b"%d" % self.seq
        fields = (number, number, code, code, code, b"himBHs", b"1", b"1", places)
        return self._mark(Kind.END, *fields) + b"\n"

    def _mark(self, kind: Kind, *fields: bytes) -> bytes:
        return INTRODUCER + b";".join([kind.value, self._nonce, *fields, self._nonce]) + BEL


class ScriptedTransport(Transport):
    """A terminal whose other end is a script."""

    def __init__(self, shell: ScriptedShell) -> None:
        self.shell = shell
        self.typed = b""
        self.sizes: list[tuple[int, int]] = []
        self.status = 0
        self.closed = False
        self.failure: OSError | None = None
        self._line = b""
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)

    def say(self, data: bytes) -> None:
        """Have the terminal give `data`."""
        self._theirs.sendall(data)

    def end(self, status: int) -> None:
        """End the terminal."""
        self.status = status
        self._theirs.close()

    def fileno(self) -> int:
        return self._ours.fileno()

    def read(self) -> bytes | None:
        if self.failure is not None:
            raise self.failure
        try:
            return self._ours.recv(1 << 16) or None
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> int:
        self.typed += data
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            answer = self.shell.answer(line)
            if isinstance(answer, int):
                self.end(answer)
            elif answer:
                self.say(answer)
        return len(data)

    def resize(self, rows: int, columns: int) -> None:
        self.sizes.append((rows, columns))

    def close(self) -> int:
        self.closed = True
        self._ours.close()
        self._theirs.close()
        return self.status


@pytest.fixture
def make_transport() -> Iterator[Callable[..., ScriptedTransport]]:
    """Return a function that makes a scripted terminal; its arguments are ScriptedShell's."""
    made: list[ScriptedTransport] = []

    def make(
        cells: Mapping[str, bytes | int | None] | None = None, *, silent: bool = False
    ) -> ScriptedTransport:
        made.append(ScriptedTransport(ScriptedShell(cells or {}, silent=silent)))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def argv_of(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Return the argv of the shell whose name the test is parametrised with (indirectly)."""
    name: str = request.param
    argv = SHELLS[name]
    if shutil.which(argv[0]) is None:
        pytest.fail(f"{argv[0]} is not installed; type: make shells", pytrace=False)
    return argv
