"""The terminal's side of a visit: a prompt for lines, and a raw terminal while a command runs."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ctrkernel.errors import SessionError, UsageError
from ctrkernel.protocol.frames import BadFrame, Frame, FrameKind, FrameParser, json_frame
from ctrkernel.session.relay import Left, relay
from ctrkernel.session.terminal import Terminal, TerminalEnded, is_terminal
from ctrkernel.session.transport import Transport

if TYPE_CHECKING:
    from ctrkernel.protocol.detach import DetachKeys
    from ctrkernel.session.line_editor import LineEditor
    from ctrkernel.session.shell import ShellSession

#: Bytes asked of the socket at once.
READ_SIZE = 1 << 16
#: Seconds for the session to say where it stands.
STATE_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class State:
    """Where the session stands.

    Attributes:
        ended: Why there is no shell any more; None while there is one.
        attended: Whether the running command was entered at a terminal like this one, so that the
            session's terminal shows what is typed and begins new lines itself.
        runs: How many lines the session had been given when it said so.
    """

    container: str
    session: str
    cwd: str
    home: str
    busy: bool
    attended: bool
    ended: str | None
    runs: int

    @property
    def prompt(self) -> str:
        """What stands before a line that is to be entered."""
        place = self.cwd
        if self.home and (place == self.home or place.startswith(f"{self.home}/")):
            place = f"~{place[len(self.home) :]}"
        return f"{self.container}{place and ':'}{place}$ "


class Link(Transport):
    """The way to the session, as a terminal with the running command behind it.

    Args:
        connection: Owned from now on.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._parser = FrameParser()
        self.state: State | None = None
        self._runs = 0
        self._early = b""
        #: Whether the output so far ends within a line.
        self.within_line = False
        #: Whether the session is gone, with its notebook.
        self.lost = False
        #: Lines of the session's own that were not shown yet.
        self.notices: list[str] = []

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._connection.fileno()

    @property
    def over(self) -> bool:
        """Whether no command can be given any more."""
        return self.lost or (self.state is not None and self.state.ended is not None)

    @property
    def early(self) -> bool:
        """Whether there is output that came before :meth:`wait_state` knew where it belongs."""
        return bool(self._early)

    def send(self, frame: Frame) -> None:
        """Send a frame; a session that is gone is noticed by the reader."""
        with contextlib.suppress(OSError):
            self._connection.sendall(frame.encode())

    def read(self) -> bytes | None:
        """Return the command's output, None when it has ended and all was returned."""
        output, self._early = self._early, b""
        if not (self.lost or self._at_prompt()):
            output += self.receive()
        ended = self.lost or self._at_prompt()
        return None if ended and not output else output

    def receive(self) -> bytes:
        """Take what the session sends, if anything, and return the output in it."""
        try:
            data = self._connection.recv(READ_SIZE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        self.lost = not data
        output = bytearray()
        try:
            for frame in self._parser.feed(data):
                self._take(frame, output)
        except (BadFrame, TypeError):
            self.lost = True
        if output:
            self.within_line = not output.endswith(b"\n")
        return bytes(output)

    def wait_state(self) -> State:
        """Return where the session stands, which is told when it is asked to run something.

        Raises:
            SessionError: It does not say.
        """
        while self.state is None:
            if self.lost or not select.select([self], [], [], STATE_TIMEOUT)[0]:
                raise SessionError("the notebook's session does not answer; restart its kernel")
            self._early += self.receive()
        return self.state

    def run(self, code: str) -> None:
        """Give the session a line."""
        self.state = None
        self._runs += 1
        self.send(Frame(FrameKind.RUN, code.encode("utf-8", "surrogateescape")))

    def write(self, data: bytes) -> int:
        """Type bytes for the command."""
        if data:
            self.send(Frame(FrameKind.KEYS, data))
        return len(data)

    def resize(self, rows: int, columns: int) -> None:
        """Tell the size of the person's terminal."""
        self.send(json_frame(FrameKind.SIZE, [rows, columns]))

    def close(self) -> int:
        """Leave; what runs goes on."""
        self.send(Frame(FrameKind.BYE))
        self._connection.close()
        return 0

    def _at_prompt(self) -> bool:
        return self.state is not None and not self.state.busy

    def _take(self, frame: Frame, output: bytearray) -> None:
        match frame.kind:
            case FrameKind.OUTPUT:
                output += frame.payload
            case FrameKind.STATE:
                fields: dict[str, Any] = frame.fields
                state = State(**fields)
                # What was said before the last line came is no news.
                if state.runs == self._runs:
                    self.state = state
            case FrameKind.REFUSED:
                self.notices.append(frame.payload.decode(errors="replace"))
            case _:
                raise BadFrame(frame.kind.name)


def visit(link: Link, keys: DetachKeys) -> str | None:
    """Let the person at this process's terminal work in the session until they leave.

    Returns:
        What they leave behind, None where nothing is.

    Raises:
        UsageError: There is no terminal.
        SessionError: The notebook is gone.
    """
    if not is_terminal(0, 1):
        raise UsageError("there is no terminal here to sit at; type this in one")
    from ctrkernel.session.line_editor import LineEditor  # noqa: PLC0415 - it loads for a while

    try:
        with Terminal() as terminal:
            # Only a person who leaves says so: a signal or a closed window is a hang-up.
            left = _converse(link, terminal, LineEditor(), keys)
            link.close()
            return left
    except SessionError:
        link.close()
        raise


def _converse(link: Link, terminal: Terminal, editor: LineEditor, keys: DetachKeys) -> str | None:
    link.resize(*terminal.size())
    while True:
        state = link.wait_state()
        for notice in link.notices:
            terminal.write(f"ctrkernel: {notice}\n".encode())
        link.notices.clear()
        if state.busy or link.early:
            if not _watch(link, terminal, keys):
                return f"the command runs on in session {state.session}"
        elif state.ended is not None:
            return f"the shell of session {state.session} has {state.ended}; a cell starts another"
        else:
            if link.within_line:
                # The editor begins at the left, over whatever stands there.
                terminal.write(b"\n")
                link.within_line = False
            line = editor.read(
                state.prompt, descriptor=link.fileno(), on_ready=lambda: _at_prompt(link)
            )
            if line:
                link.run(line)
            elif line is None and not link.over:
                return None
        if link.lost:
            raise SessionError("the notebook's session is gone; its kernel has ended")


def _watch(link: Link, terminal: Terminal, keys: DetachKeys) -> bool:
    """Pass the terminal through to the running command; whether the person saw its end."""
    state = link.state
    # What has ended already was entered here, and so attended.
    unattended = state is not None and state.busy and not state.attended
    with terminal.raw(newlines=unattended):
        left = relay(terminal, link, keys)
    if left is Left.GONE:
        raise TerminalEnded(signal.SIGHUP)
    if left is Left.DETACHED:
        terminal.write(b"\n")
    return left is Left.ENDED


def _at_prompt(link: Link) -> bytes | None:
    """Take what comes while the person edits a line; None where the session is gone."""
    shown = link.receive()
    return None if link.over else shown


def visit_here(session: ShellSession, keys: DetachKeys) -> str | None:
    """Let the person at this process's terminal work in a session of this process."""
    from ctrkernel.session.visit import Visit  # noqa: PLC0415 - a joining terminal needs it not

    ours, theirs = socket.socketpair()
    serving = threading.Thread(
        target=Visit(session, theirs).serve, name="ctrkernel-visit", daemon=True
    )
    serving.start()
    try:
        return visit(Link(ours), keys)
    finally:
        ours.close()
        serving.join()
