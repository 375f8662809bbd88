"""The talk with one shell, as a state machine without input or output.

Bytes from the terminal go in by :meth:`Conversation.receive`, what they mean comes out: bytes to
type, output of the cell, output from outside any cell, a cell's end. The session does the rest.

::

    STARTING ─hello─▶ SETUP ─prompt─▶ IDLE ─submit─▶ STAGING ─begin─▶ RUNNING
                                       ▲                │                │
                                       └────────────────┴────────────────┤
                                  end mark, or a prompt that has seen    │ end mark of a shell
                                  our gate                               ▼ without its terminal
                                                                      LEAVING
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto

from ctrkernel.protocol import dialects
from ctrkernel.protocol.dialects import Dialect, ShellState, base
from ctrkernel.protocol.dialects.display import DISPLAY
from ctrkernel.protocol.encoding import code_bytes
from ctrkernel.protocol.marks import HOME_MARK, Kind, Mark
from ctrkernel.protocol.newlines import NewlineRestorer
from ctrkernel.protocol.stream import NEED_DATA, StreamParser, Text

#: Bytes kept of what came before the first prompt, to show if none ever comes.
GREETING_LIMIT = 4096
#: Bytes held between typing and the begin mark, beyond the typed lines themselves.
HELD_LIMIT = 1 << 18
#: The status of a command whose own status nobody could tell.
UNKNOWN_STATUS = 1
#: The terminal's kill character, Ctrl-U.
ERASE_LINE = b"\x15"
#: How often a cell is typed again because an interrupt of the last one has hit it.
LATE_KEYS = 3
#: What a shell makes of an interrupt: 128 and the number of SIGINT.
INTERRUPTED = 130
#: What ``trap`` lists between our line and the begin mark.
_TRAPS = re.compile(rb"(?:trap -- .*? \w+\r?\n|TRAP\w+ \(\) \{\r?\n.*?\n\}\r?\n)+", re.DOTALL)
#: Code that may have changed or exported a prompt, which not every shell can tell us.
_PROMPT_NAME = re.compile(rb"\bPS[0124]\b|PROMPT")
_DEBUG_TRAP = re.compile(rb"trap -- '.*' DEBUG|TRAPDEBUG", re.DOTALL)


class Phase(Enum):
    """Where the talk stands."""

    STARTING = auto()
    SETUP = auto()
    IDLE = auto()
    STAGING = auto()
    RUNNING = auto()
    #: The code has ended, and the shell is about to: what it reads from is no terminal any more.
    LEAVING = auto()


@dataclass(frozen=True, slots=True)
class Ready:
    """The shell is at its first prompt.

    Attributes:
        pid: Its process id in the container.
        started: When it started, in clock ticks after boot, as ``/proc/PID/stat`` counts.
        image: Where its stack begins; another address each time that it becomes another program.
        shell: Its family and version, such as ``bash 5.2.15(1)-release``.
    """

    pid: int
    started: int
    image: int
    shell: str


@dataclass(frozen=True, slots=True)
class Type:
    """Bytes to type."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that a program wrote; `late` ones belong to no cell that is running."""

    data: bytes
    late: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The cell came to its end.

    Attributes:
        status: ``$?``.
        cwd: The shell's directory.
        home: What ``~`` stands for; empty where HOME is not set.
    """

    status: int
    cwd: str
    home: str


Happening = Ready | Type | Output | Done


class Conversation:
    """One shell's side of the protocol.

    Args:
        nonce: Random, in hexadecimal; new for each shell.
    """

    def __init__(self, nonce: str) -> None:
        self.phase = Phase.STARTING
        self.state = ShellState()
        self._before = self.state
        self.seq = 0
        self.greeting = b""
        #: Whether the last command that came to its end had begun with a mark.
        self.marks_work = False
        self.home = b""
        self.nonce = nonce
        self._dialect: Dialect | None = None
        self._parser = StreamParser(nonce.encode())
        self._has_stty = True
        self._newlines: NewlineRestorer | None = None
        self._held = bytearray()
        self._gated: int | None = None
        self._typed: frozenset[bytes] = frozenset()
        self._typed_size = 0
        self._code = ""
        #: Whether output is given out though no begin mark came.
        self.released = False
        self._begun_again = 0
        self._blank = False
        self._checked = False
        self._names_prompt = False
        self._left: tuple[int | None, bytes] = (None, b"")
        self._stray = False
        #: Whether the last cell was interrupted: one more interrupt may still be on its way, which
        #: a shell at its prompt answers with a newline.
        self.interrupted = False
        #: Whether a key that signals was pressed for the running cell.
        self.pressed = False
        #: Whether the running cell has made the shell another one, which is made ours.
        self.replaced = False
        self._pid = 0
        self._started = 0
        self._image = 0
        self._shell = ""

    def hello(self) -> bytes:
        """Return the line that begins the talk; it may be typed again if no answer comes."""
        return dialects.hello_line(self.nonce, edited=self.replaced) + b"\n"

    @property
    def busy(self) -> bool:
        """Whether a cell was submitted and has not ended."""
        return self.phase in (Phase.STAGING, Phase.RUNNING, Phase.LEAVING) or self.replaced

    def submit(self, code: str, *, stray: bool = False, attended: bool = False) -> bytes:
        """Return what to type to run `code`; only in phase IDLE.

        Args:
            code: Any number of lines.
            stray: Whether a key that did not signal may be waiting in the terminal: then its line
                is erased, and what the shell says to the rest of it is nobody's output.
            attended: Whether a person sits at the terminal, who wants to see what they type.
        """
        assert self.phase is Phase.IDLE
        self._before = self.state
        self._begun_again = 0
        self.pressed = False
        self._code = code
        self.state = replace(self.state, attended=attended)
        return self._cell(stray=stray)

    def _cell(self, *, stray: bool = False) -> bytes:
        """Return what to type for the code as it is now to be run."""
        assert self._dialect is not None
        self.seq += 1
        data = code_bytes(self._code)
        if not self.state.plain and self._dialect.takes_words(data):
            self.state = replace(self.state, plain=True, repair=True)
        lines = self._dialect.cell(self.seq, data, self.state)
        self._typed = frozenset(lines)
        self._typed_size = sum(map(len, lines))
        self._held.clear()
        self._gated = None
        self.released = False
        self._checked = base.may_be_unfinished(data)
        self._names_prompt = _PROMPT_NAME.search(data) is not None
        self._blank = not base.has_command(data)
        # What changed the terminal is undone by what is typed now, and seen again where it is not.
        self.state = replace(
            self.state,
            pipe_status=(),
            finished=False,
            terminal_changed=self.state.attended and self._has_stty,
        )
        self.phase = Phase.STAGING
        self._stray = stray
        before = ERASE_LINE + b"\n" if stray else b""
        return before + b"\n".join(lines) + b"\n"

    def rescue(self) -> bytes:
        """Return what to type where the shell is known to be at its prompt and said nothing."""
        assert self._dialect is not None
        return self._dialect.rescue(self.seq) + b"\n"

    def release(self) -> list[Happening]:
        """Give out what is held though no begin mark came: the marks may not work just now."""
        self.released = True
        return self._give_held(begun=False)

    def forget_last(self) -> None:
        """Let the next cell find the status of the cell before the last one, which was ours."""
        self.state = replace(
            self.state, status=self._before.status, pipe_status=self._before.pipe_status
        )

    def replace_shell(self) -> None:
        """Begin anew with the shell that the running cell has put in the old one's place.

        It is known to be at its prompt, and the hello is to be typed.
        """
        if self.phase is Phase.RUNNING:
            self.phase = Phase.STARTING
            self.replaced = True
            self.greeting = b""

    def resume(self) -> list[Happening]:
        """Go on with the cell: what was taken for another shell did not answer."""
        self.phase = Phase.RUNNING
        self.replaced = False
        return self._output(self.greeting, late=False)

    def receive(self, data: bytes) -> list[Happening]:
        """Take bytes from the terminal and return what they mean, in order."""
        self._parser.receive_data(data)
        happenings: list[Happening] = []
        while (event := self._parser.next_event()) is not NEED_DATA:
            if isinstance(event, Text):
                happenings += self._text(event.data)
            elif isinstance(event, Mark):
                happenings += self._mark(event)
        return happenings

    def close(self) -> list[Happening]:
        """Return what was still held: the stream has ended."""
        happenings = self._text(self._parser.close())
        if self.phase is Phase.STAGING:
            happenings += self._give_held(begun=False)
        if self._newlines is not None and (rest := self._newlines.close()):
            happenings.append(Output(rest, late=not self.busy))
        return happenings

    def _text(self, data: bytes) -> list[Happening]:
        if not data:
            return []
        match self.phase:
            case Phase.STARTING | Phase.SETUP:
                kept = [line for line in data.splitlines(True) if b"]133;H;" not in line]
                self.greeting = (self.greeting + b"".join(kept))[-GREETING_LIMIT:]
                return []
            case Phase.STAGING if not self.released:
                self._held += data
                if len(self._held) > HELD_LIMIT + 2 * self._typed_size:
                    return self._give_held(begun=False)
                return []
            case Phase.STAGING | Phase.RUNNING | Phase.LEAVING:
                return self._output(data, late=False)
            case Phase.IDLE if not self.state.prompts_intact:
                # A prompt that is readonly, and so not ours.
                return []
            case _:
                for noise in self._dialect.noise if self._dialect is not None else ():
                    data = data.replace(noise, b"")
                if self.interrupted and not data.strip(b"\r\n"):
                    return []
                return self._output(data, late=True)

    def _output(self, data: bytes, *, late: bool) -> list[Happening]:
        if self._newlines is not None:
            data = self._newlines.feed(data)
        return [Output(data, late)] if data else []

    def _mark(self, mark: Mark) -> list[Happening]:
        match mark.kind:
            case Kind.HELLO:
                return self._hello(mark)
            case Kind.PROMPT | Kind.PRECMD:
                return self._prompt(mark)
            case _ if mark.number(0) != self.seq or not self.busy or self.phase is Phase.LEAVING:
                return self._foreign(mark)
            case Kind.GATE:
                self._gated = len(self._held)
                return []
            case Kind.BEGIN if self.phase is Phase.STAGING:
                happenings = self._give_held(begun=True)
                self.phase = Phase.RUNNING
                plain = self.state.plain and self._dialect is not None and self._dialect.stays_plain
                self.state = replace(self.state, plain=plain)
                return happenings
            case Kind.END:
                return self._end(mark)
        return self._foreign(mark)

    def _end(self, mark: Mark) -> list[Happening]:
        cwd, _, self.home = mark.fields[8].rpartition(HOME_MARK)
        codes = mark.fields[4].split()
        status = mark.number(3)
        self.state = replace(
            self.state,
            flags=mark.fields[5].decode("ascii", "replace"),
            prompts_intact=mark.fields[6] == b"1" and not self._names_prompt,
            terminal_changed=self.state.terminal_changed or (self._has_stty and mark.onlcr),
            pipe_status=tuple(map(int, codes)) if all(code.isdigit() for code in codes) else (),
            finished=status is not None,
        )
        if status is None:
            status = mark.number(2)
            if self._hit_by_late_key(mark.number(1), status):
                return self._begin_again()
            told = self._dialect is None or not self._dialect.begins_first or self._checked
            if self._never_begun(mark.number(1)) and status != INTERRUPTED and not told:
                return self._type_again(plain=False)
        if mark.fields[7] == b"0":
            happenings = self._give_held(begun=False) if self.phase is Phase.STAGING else []
            self.phase = Phase.LEAVING
            self._left = (status, cwd)
            return happenings
        return self._done(status, cwd)

    @property
    def left_in(self) -> str | None:
        """The directory of a shell that is about to end, where its last cell still told it."""
        return _text_of(self._left[1]) if self.phase is Phase.LEAVING else None

    def stay(self) -> list[Happening]:
        """End the cell of a shell that did not end though its stdin is no terminal any more."""
        return self._done(*self._left)

    def _foreign(self, mark: Mark) -> list[Happening]:
        """Show a mark that is out of place: a program printed it.

        Before a cell has begun it is the last one's, which ended while its end was asked for.
        """
        of_last = self.phase is Phase.STAGING and not self.released
        return self._text(mark.raw) if self.busy and not of_last else []

    def _hello(self, mark: Mark) -> list[Happening]:
        if self.phase is not Phase.STARTING:
            return []
        pid, bash, zsh, stty, flags, line = mark.fields
        self._pid = mark.number(0) or 0
        self._has_stty = stty == b"0"
        self._newlines = None if self._has_stty else NewlineRestorer()
        # The fields behind the program's name, which may hold anything: proc_pid_stat(5).
        after_name = line.rpartition(b")")[2].split()
        self._started, self._image = (
            int(after_name[index]) if len(after_name) > index else 0 for index in (19, 25)
        )
        versions = {"bash_version": _text_of(bash), "zsh_version": _text_of(zsh)}
        self._dialect = dialects.choose(self.nonce, **versions)
        version = versions["bash_version"] or versions["zsh_version"]
        self._shell = f"{self._dialect.name} {version}".rstrip()
        self._parser = self._parser.erasing(*self._dialect.repeated)
        self.state = ShellState(flags=_text_of(flags))
        self.phase = Phase.SETUP
        assert pid
        dialect = self._dialect
        lines = [*dialect.setup(), *DISPLAY, *dialect.prompts(), dialect.first_line()]
        return [Type(b"\n".join(lines) + b"\n")]

    def _prompt(self, mark: Mark) -> list[Happening]:
        gate, status = mark.number(0), mark.number(2)
        if gate is None or status is None:
            # A prompt that was not expanded: the cell printed the variable, or told the shell not
            # to expand it.
            return self._foreign(mark) if self.phase is Phase.RUNNING else []
        shown = mark.kind is Kind.PROMPT
        if self.phase is Phase.SETUP and shown:
            self.phase = Phase.IDLE
            self.state = replace(self.state, prompts_intact=True)
            ready = Ready(self._pid, self._started, self._image, self._shell)
            if not self.replaced:
                return [ready]
            self.replaced = False
            return [ready, *self._done(0, mark.fields[4])]
        if self.phase is Phase.SETUP:
            return []
        if gate != self.seq or self.phase is Phase.LEAVING:
            return []
        if not self.busy:
            intact = self.state.prompts_intact or (shown and not self._names_prompt)
            self.state = replace(self.state, prompts_intact=intact)
            return []
        if self._hit_by_late_key(mark.number(1), status):
            return self._begin_again()
        if self._never_begun(mark.number(1)) and status != INTERRUPTED:
            # Past an error of the code the end mark is reached, so the marks do not work.
            return self._type_again(plain=True)
        flags = mark.fields[3].decode("ascii", "replace")
        intact = shown and not self._names_prompt
        self.state = replace(self.state, flags=flags, prompts_intact=intact)
        return self._done(status, mark.fields[4])

    def _never_begun(self, begun: int | None) -> bool:
        """Whether the code was not run; if nothing is wrong with it, a word of ours is not itself.

        Then it is typed again, once.
        """
        return begun != self.seq and self.phase is Phase.STAGING and not self.state.repair

    def _hit_by_late_key(self, begun: int | None, status: int | None) -> bool:
        """Whether the last cell's interrupt ended this one before it began.

        A shell that takes the signal right before it reads acts on it when it has read.
        """
        return (
            self.interrupted
            and status == INTERRUPTED
            and begun != self.seq
            and self.phase is Phase.STAGING
            and not self.pressed
            and self._begun_again < LATE_KEYS
        )

    def _begin_again(self) -> list[Happening]:
        """Type the cell again that has not begun, with what came from elsewhere given out."""
        self._begun_again += 1
        gated = len(self._held) if self._gated is None else self._gated
        self._held = bytearray(self._held[:gated].strip(b"\r\n"))
        happenings = self._give_held(begun=False)
        return [*happenings, self._typed_anew()]

    def _type_again(self, *, plain: bool) -> list[Happening]:
        self._held.clear()
        self.state = replace(self.state, plain=plain, repair=True)
        return [self._typed_anew()]

    def _typed_anew(self) -> Type:
        self.state = replace(self.state, pipe_status=self._before.pipe_status)
        return Type(self._cell())

    def _done(self, status: int | None, cwd: bytes) -> list[Happening]:
        happenings = self._give_held(begun=False) if self.phase is Phase.STAGING else []
        if self._newlines is not None and (rest := self._newlines.close()):
            happenings.append(Output(rest))
        if status is None:
            status = UNKNOWN_STATUS
        pipe_status = self.state.pipe_status or (status,)
        self.state = replace(
            self.state,
            status=status,
            pipe_status=pipe_status,
            debug_trap=self.state.debug_trap or "DEBUG" in self._code,
            repair=False,
        )
        self.marks_work = self.phase is Phase.RUNNING
        self.phase = Phase.IDLE
        # Code without a command leaves $? as it is, and has not failed.
        reported = 0 if self._blank else status
        return [*happenings, Done(reported, _text_of(cwd), _text_of(self.home))]

    def _give_held(self, *, begun: bool) -> list[Happening]:
        """Sort what came between typing and the begin mark.

        Before the gate: what the terminal or a verbose shell repeats of our lines goes, the rest
        is output of a background job. Behind the gate: the shell's trace of our line goes; if no
        begin mark came, it is the shell's complaint about the code and stays.
        """
        held = bytes(self._held)
        self._held.clear()
        listed = _TRAPS.search(held)
        traced = listed is not None and _DEBUG_TRAP.search(listed[0]) is not None
        held = _TRAPS.sub(b"", held) if begun else held
        if begun:
            if self.interrupted:
                held = held.lstrip(b"\r\n")
            self.interrupted = False
            self.state = replace(self.state, debug_trap=traced)
            if traced and self._dialect is not None and self._dialect.traps_groups:
                # What the trap printed for our own line cannot be told from what else came.
                held = b""
            elif self._gated is not None:
                held = held[: self._gated]
            elif self._stray or not self.state.prompts_intact:
                held = b""
        self._gated = None
        if not held:
            return []
        kept = [line for line in held.splitlines(keepends=True) if not self._is_typed(line)]
        rest = b"".join(kept)
        edits = self._dialect is not None and self._dialect.edits_lines
        if edits and (b"__ctrk_" in rest or b"\x1b[6n" in rest):
            # The line editor of busybox draws what is typed where the terminal echoes.
            rest = b""
        if len(rest) < len(held) and "v" not in self.state.flags:
            self.state = replace(self.state, terminal_changed=self._has_stty)
        return self._output(rest, late=begun) if rest else []

    def _is_typed(self, line: bytes) -> bool:
        return line.rstrip(b"\r\n") in self._typed


def has_command(code: str) -> bool:
    """Whether a line of `code` is neither blank nor a comment."""
    return base.has_command(code_bytes(code))


def _text_of(data: bytes) -> str:
    """Decode a name so that it can be given back to the shell byte by byte."""
    return data.decode("utf-8", "surrogateescape")
