"""Looks after a command that waits for input: asks the person, and types what they answer."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from ctrkernel.errors import CommandInterrupted, SessionClosed, UsageError
from ctrkernel.protocol.prompt import END_OF_INPUT
from ctrkernel.session.readers import SCRIPT, Waiting, parse_terminal, who_waits
from ctrkernel.session.talker import ENTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ctrkernel.session.execution import Execution
    from ctrkernel.session.shell import ShellSession

#: Seconds without output before the first look; most commands have ended by then.
FIRST_LOOK: Final = 0.3
#: The same behind an answer: whoever asked once asks again.
NEXT_LOOK: Final = 0.1
#: The longest pause between two looks; each is twice the one before.
LONGEST_PAUSE: Final = 5.0
#: Seconds between two looks that must agree: a program may read for a moment.
AGREE_PAUSE: Final = 0.05
#: Seconds that a look may take, with the start of the shell that looks.
LOOK_TIMEOUT: Final = 5.0
#: Looks one after the other that may fail before nobody looks any more.
FAILED_LOOKS: Final = 3
#: How often a program gets the end of its input, line by line or key by key, before it is hung up.
ENDS_OF_LINES: Final = 10
ENDS_OF_KEYS: Final = 2
#: Seconds in which a program that takes keys shows what was typed, if it shows it at all.
ECHO_WAIT: Final = 0.3
#: Seconds between two looks at whether it has.
_ECHO_LOOK: Final = 0.02
#: Bytes of a line that a terminal takes, less Enter; what is more it throws away: termios(3).
LINE_LIMIT: Final = 4095
#: Looks at whether a program still waits for what was answered; one may find it at work.
LAST_LOOKS: Final = 3
#: The terminal's character for the end of input.
_END: Final = b"\x04"


class Ask(Protocol):
    """Shows a box for a line and returns what was entered; in the caller's thread."""

    def __call__(self, prompt: str, *, hidden: bool, cancelled: Callable[[], bool]) -> str:
        """Ask.

        Args:
            prompt: What stands before the line.
            hidden: Nobody should see what is entered.
            cancelled: Asked some twenty times a second; true takes the box away.

        Raises:
            CommandInterrupted: `cancelled` said so, or the person left the box.
            UsageError: Nobody can be asked here.
        """


class Attendant:
    """One command's; it works in a thread of its own until the command's end.

    Args:
        session: The session.
        execution: The command, which runs in it.
        ask: Asks the person; None where nobody can be asked: a program that waits is then given
            the end of its input.
        notice: Called with a line that says so.
    """

    def __init__(
        self,
        session: ShellSession,
        execution: Execution,
        ask: Ask | None,
        notice: Callable[[str], None],
    ) -> None:
        self._session = session
        self._execution = execution
        self._ask = ask
        self._notice = notice
        self._ended = threading.Event()
        self._dialogue = session.talker.dialogue
        self._asked = False
        self._told = False
        self._explained = False
        self._ends = 0
        #: Further lines of an answer, for the questions that come next.
        self._lines: deque[str] = deque()
        self._hung_up = False
        self._failed = 0

    def start(self) -> None:
        """Begin, unless the command has ended."""
        if not self._session.runs(self._execution) or self._session.pid is None:
            return
        self._execution.future.add_done_callback(lambda _: self._ended.set())
        threading.Thread(target=self._run, name="ctrkernel-attendant", daemon=True).start()

    def _run(self) -> None:
        # The command runs since a while, and may have been silent all the time.
        heard, pause = self._dialogue.heard()[0], AGREE_PAUSE
        while not self._ended.wait(pause) and self._failed < FAILED_LOOKS:
            before, heard = heard, self._dialogue.heard()[0]
            self._execution.reader = 0
            if heard != before:
                pause = NEXT_LOOK if self._asked else FIRST_LOOK
            elif (waiting := self._waits()) is None:
                pause = min(max(2 * pause, FIRST_LOOK), LONGEST_PAUSE)
            else:
                self._asked = True
                self._execution.reader = waiting.pid if waiting.detached else 0
                self._serve(waiting)
                heard, pause = self._dialogue.heard()[0], NEXT_LOOK

    def _waits(self) -> Waiting | None:
        """Return who waits, if two looks agree and nothing was said meanwhile."""
        heard = self._dialogue.heard()[0]
        first = self._look()
        if first is None or self._ended.wait(AGREE_PAUSE):
            return None
        second = self._look()
        same = second is not None and second.pid == first.pid
        silent = heard == self._dialogue.heard()[0] and self._has_read_all()
        return second if same and silent else None

    def _has_read_all(self) -> bool:
        """Whether nothing more has come: who writes to a full terminal sleeps as its readers do."""
        pump = self._session.connection.pump
        return pump is not None and pump.resting

    def _look(self) -> Waiting | None:
        session, execution = self._session, self._execution
        if self._dialogue.talked or session.connection.waits_to_begin:
            return None
        if not self._has_read_all():
            return None
        try:
            printed = session.side.request(SCRIPT, str(session.pid), timeout=LOOK_TIMEOUT)
        except SessionClosed:
            self._ended.set()
            return None
        look = parse_terminal(printed.decode("utf-8", "surrogateescape"))
        if look is None:
            self._failed += 1
            return None
        self._failed = 0
        if not session.runs(execution) or session.connection.is_replaced(look.shell):
            return None
        said = self._dialogue.heard()[1]
        return who_waits(look, said, pid=session.pid or 0, code=execution.code)

    def _serve(self, waiting: Waiting) -> None:
        """Ask the person, or end the input where there is none to be asked."""
        if self._execution.interrupts:
            # The person has pressed stop, and it asks again.
            self._hang_up(waiting)
            return
        if self._lines:
            self._type(waiting, self._lines.popleft())
            return
        if self._ask is not None:
            try:
                answer = self._ask(
                    self._session.hide(self._prompt(waiting)),
                    hidden=waiting.hidden,
                    cancelled=_Patience(self, waiting),
                )
            except CommandInterrupted:
                return
            except UsageError:
                self._ask = None
            else:
                self._take(waiting, answer)
                return
        self._end_input(waiting)

    def _prompt(self, waiting: Waiting) -> str:
        if waiting.prompt.strip():
            return waiting.prompt
        # An empty box says nothing; the first one says how it ends, too.
        how, self._explained = "" if self._explained else " (^D ends it)", True
        return f"input for {waiting.name}{how}: "

    def _take(self, waiting: Waiting, answer: str) -> None:
        """Type an answer, if it is still waited for: the shell would run what nobody reads."""
        for _ in range(LAST_LOOKS):
            if not self.goes_on(waiting):
                # Its lines one by one, for the same reason.
                self._lines.extend(answer.replace("\r\n", "\n").removesuffix("\n").split("\n"))
                self._type(waiting, self._lines.popleft())
                return
            if self.over or self._ended.wait(AGREE_PAUSE):
                return
        self._notice(f"{waiting.name} did not wait for the answer any more; it was not typed")

    def _type(self, waiting: Waiting, line: str) -> None:
        if line in END_OF_INPUT:
            self._session.talker.answer(self._execution, _END)
            return
        keys = line.encode("utf-8", "surrogateescape")
        if waiting.raw and line:
            self._type_keys(waiting, line, keys)
            return
        if len(keys) > LINE_LIMIT and not waiting.raw:
            line = keys[:LINE_LIMIT].decode("utf-8", "ignore")
            keys = line.encode()
            self._notice(f"a terminal takes {LINE_LIMIT:,} bytes of a line; the rest is left out")
        echo = not (waiting.hidden or waiting.echoed or waiting.draws)
        shown = self._session.hide(f"{line}\n") if echo else ""
        # A newline is one whether or not the terminal makes one of Enter.
        self._session.talker.answer(self._execution, keys + b"\n", shown=shown)

    def _type_keys(self, waiting: Waiting, line: str, keys: bytes) -> None:
        """Type to a program that takes keys, which may want one alone, and no Enter behind it.

        Nor do all show them: readline does not where the terminal had no echo when it began.
        """
        before = self._dialogue.heard()[0]
        answer = self._session.talker.answer
        answer(self._execution, keys)
        deadline = time.monotonic() + ECHO_WAIT
        while (silent := self._dialogue.heard()[0] == before) and time.monotonic() < deadline:
            if self._ended.wait(_ECHO_LOOK):
                return
        echo = silent and not waiting.hidden
        if echo:
            answer(self._execution, b"", shown=self._session.hide(line))
        if waiting.edits or self._wants_enter(waiting, line):
            # Who is told of no echo may show no new line either.
            newline = echo and not (waiting.draws or waiting.keys)
            answer(self._execution, ENTER, shown="\n" if newline else "")

    def _wants_enter(self, waiting: Waiting, typed: str) -> bool:
        """Whether the program has not taken the keys alone for an answer."""
        if waiting.keys and len(typed) == 1:
            # Who reads on wants the next key.
            return False
        now = self._look()
        return (
            now is not None
            and now.pid == waiting.pid
            and now.raw
            and (now.prompt.startswith(waiting.prompt) or now.prompt.endswith(typed))
        )

    def _end_input(self, waiting: Waiting) -> None:
        if not self._told:
            self._told = True
            self._notice(
                f"{waiting.name} waits for input, and nobody can be asked here; "
                "it was given the end of input"
            )
        self._ends += 1
        if self._ends <= (ENDS_OF_KEYS if waiting.raw else ENDS_OF_LINES):
            self._session.talker.answer(self._execution, _END)
        else:
            self._hang_up(waiting)

    def _hang_up(self, waiting: Waiting) -> None:
        """End the programs that wait; those that are still there the next time are killed."""
        if waiting.shell:
            self._session.interrupt()
        elif self._session.runs(self._execution):
            signal, self._hung_up = "KILL" if self._hung_up else "HUP", True
            words = str(self._session.pid), signal, str(waiting.group)
            with contextlib.suppress(SessionClosed):
                self._session.side.request(SCRIPT, *words, timeout=LOOK_TIMEOUT)

    def goes_on(self, waiting: Waiting) -> bool:
        """Whether the program has stopped waiting, or asks for something else by now."""
        now = self._look()
        if now is None or (now.pid, now.hidden) != (waiting.pid, waiting.hidden):
            return True
        # An empty one may be the line below what a job in the background printed.
        return now.prompt not in ("", waiting.prompt)

    @property
    def over(self) -> bool:
        """Whether the command has ended, or somebody else talks to it."""
        return self._ended.is_set() or self._dialogue.talked or self._execution.interrupts > 0


class _Patience:
    """Says whether a question has outlived its program; looks less and less often.

    Args:
        attendant: The command's.
        waiting: The program.
    """

    def __init__(self, attendant: Attendant, waiting: Waiting) -> None:
        self._attendant = attendant
        self._waiting = waiting
        self._pause = 2 * FIRST_LOOK
        self._due = time.monotonic() + self._pause

    def __call__(self) -> bool:
        """Whether nobody needs the answer any more."""
        if self._attendant.over:
            return True
        if time.monotonic() < self._due:
            return False
        if self._attendant.goes_on(self._waiting):
            return True
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._due = time.monotonic() + self._pause
        return False


def attend(
    session: ShellSession,
    execution: Execution,
    ask: Ask | None,
    notice: Callable[[str], None],
) -> None:
    """Look after `execution` until its end; see :class:`Attendant`. It returns at once."""
    Attendant(session, execution, ask, notice).start()


@contextlib.contextmanager
def attended(
    session: ShellSession,
    execution: Execution,
    ask: Ask | None,
    notice: Callable[[str], None],
) -> Iterator[None]:
    """Look after `execution` while the body waits for it, if it takes a while."""
    timer = threading.Timer(FIRST_LOOK, attend, (session, execution, ask, notice))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
