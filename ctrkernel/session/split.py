"""A shell's stderr on a terminal of its own, told apart from stdout.

A second, idle shell in the same container lends its terminal: what is written there comes to us as
output that belongs to no command of it. The shell's own prompt is written to stderr too, and with
it the prompt's mark, which tells when all that a command wrote there has arrived.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import SessionError
from ctrkernel.session.shell import ShellSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.session.mask import Mask

#: Seconds that the mark of a command's end may take; then stderr is surely somewhere else.
SETTLE_TIMEOUT: Final = 1.0
#: Seconds after which any mark will do: code that cannot be parsed leaves the number as it was.
SAME_NUMBER: Final = 0.2
#: Seconds for the last words of a shell that ended, which writes no mark behind them.
LAST_WORDS: Final = 0.3
#: Seconds to have the shell's stderr changed.
CHANGE_TIMEOUT: Final = 10.0
#: Characters that are held because a mark may have begun: a path in it is at most 4,096 bytes.
_HELD: Final = 16_384
_PREFIX: Final = "\x1b]133;A;"
#: Only words of ours hold this.
_OURS: Final = "__ctrk_"
#: What puts stderr elsewhere, and leaves `$?` and the history as they are.
_DONE: Final = "stderr is there"
_CHANGE: Final = (
    r"{ __ctrk_a=$?; \builtin history -d $((HISTCMD-1)); } >/dev/null 2>&1"
    "\n"
    rf"\exec 2>{{path}} && \builtin echo '{_DONE}' >/dev/tty"
    "\n"
    r'{ \builtin eval "\builtin unset -v __ctrk_a; '
    r'case \$- in *e*) ;; *) (exit $__ctrk_a);; esac"; } 2>/dev/null'
)
#: The lender says which terminal it has; not every image has tty(1).
_ASK: Final = "tty 2>/dev/null || readlink /proc/$$/fd/0"
_TERMINAL: Final = re.compile(r"/dev/(?:pts/\d+|console)")


class Sieve:
    """Takes the prompt's marks, and trace lines of our own words, out of what is on stderr.

    Args:
        nonce: That of the session's marks.
    """

    def __init__(self, nonce: str) -> None:
        self._mark = re.compile(rf"\x1b\]133;A;{nonce};(\d*);[^;]*;[^;]*;(\w*);[^\x07]*\x07")
        self._rest = ""
        #: Whether the shell traces, so that only whole lines can be told apart.
        self._tracing = False
        #: Whether within the trace of our `eval`, which holds the command's code.
        self._quoting = False

    def feed(self, text: str) -> tuple[str, int | None]:
        """Return what may be shown, and the number of the last command whose end was seen."""
        text = self._rest + text
        shown, at, number = [], 0, None
        for mark in self._mark.finditer(text):
            shown.append(self._sifted(text[at : mark.start()]))
            self._quoting = False
            self._tracing = any(flag in mark[2] for flag in "xv")
            number = int(mark[1] or 0)
            at = mark.end()
        text = text[at:]
        border = self._border(text)
        self._rest = text[border:]
        shown.append(self._sifted(text[:border]))
        return "".join(shown), number

    def _border(self, text: str) -> int:
        """Return up to where `text` can be told."""
        border = len(text)
        if self._tracing or self._quoting:
            border = text.rfind("\n") + 1
        escape = text.rfind("\x1b")
        if escape >= 0:
            tail = text[escape : escape + len(_PREFIX)]
            if _PREFIX.startswith(tail) and "\x07" not in text[escape:]:
                border = min(border, escape)
        return border if len(text) - border <= _HELD else len(text)

    def _sifted(self, text: str) -> str:
        if _OURS not in text and not self._quoting:
            return text
        kept = []
        for line in text.splitlines(keepends=True):
            ours = _OURS in line
            if self._quoting:
                self._quoting = not ours
            elif ours:
                # Traced in quotes over several lines: ours, the code, ours.
                self._quoting = "eval '" in line and f"{_OURS}b" in line
            else:
                kept.append(line)
        return "".join(kept)


class SplitStderr:
    """The stderr of one session of bash; it begins by :meth:`begin` and ends by :meth:`close`.

    Args:
        session: Whose.
        on_text: Called, in a thread of its own, with what is written there.
        mask: Takes secrets out.
    """

    def __init__(
        self, session: ShellSession, *, on_text: Callable[[str], None], mask: Mask | None
    ) -> None:
        self.session = session
        self._on_text = on_text
        self._lender = ShellSession(  # noqa: S604 - it is the container's shell
            session.engine,
            session.container,
            name=f"{session.name}, stderr",
            shell="sh",
            rows=session.rows,
            columns=session.columns,
            on_late=self._take,
            mask=mask,
        )
        self._path = ""
        self._sieve = Sieve(session.turn[0])
        self._arrived = threading.Condition()
        self._number = 0
        #: How many pieces ended in a mark since the last command's end was waited for.
        self._marks = 0
        #: Whether a mark did not come: the person has put stderr elsewhere.
        self._lost = False
        #: Whether the shell's stderr is the lender's terminal, as far as we did it.
        self.on = False

    def begin(self) -> None:
        """Borrow a terminal and put the session's stderr there.

        Raises:
            SessionError: It cannot be had.
        """
        try:
            self._lender.open()
            self._lender.wait_ready()
            self._path = _terminal_in(self._lender.run(_ASK, CHANGE_TIMEOUT).output)
            self.switch(on=True)
        except BaseException:
            self._lender.close(wait=False)
            raise

    def switch(self, *, on: bool) -> None:
        """Put the session's stderr on its own terminal, or back to where stdout is.

        Raises:
            SessionError: The shell did not do it.
        """
        path = self._path if on else "/dev/tty"
        session = self.session
        with self._arrived:
            self._number, self._lost = session.turn[1], False
        change = _CHANGE.replace("{path}", path)
        done = session.wait(session.submit(change, keep=True, ours=True), CHANGE_TIMEOUT)
        if _DONE not in done.output:
            raise SessionError(f"stderr cannot be put on {path}")
        self.on = on

    def fit(self) -> None:
        """Give the terminal the size of the session's."""
        wanted = self.session.rows, self.session.columns
        if (self._lender.rows, self._lender.columns) != wanted:
            self._lender.resize(*wanted)

    @property
    def alive(self) -> bool:
        """Whether the terminal is there."""
        return self._lender.alive

    def settle(self) -> None:
        """Wait until all has come that the session's last command wrote."""
        _, number = self.session.turn
        gone = not self.session.alive
        with self._arrived:
            if self._lost or not self.on:
                return
            waits = self._arrived.wait_for
            come = (
                waits(lambda: self._number >= number, LAST_WORDS if gone else SAME_NUMBER)
                or gone
                or waits(lambda: self._number >= number or self._marks > 0, SETTLE_TIMEOUT)
            )
            self._lost, self._marks = not come, 0

    def close(self) -> None:
        """Give the terminal back; what is written to it from now on is an error to its writer."""
        if self.on and self.session.at_prompt:
            try:
                self.switch(on=False)
            except SessionError:
                # The shell is on its way out, or stderr is where the person wants it.
                self.on = False
        self._lender.close(wait=False)

    def _take(self, text: str) -> None:
        shown, number = self._sieve.feed(text)
        if shown:
            self._on_text(shown)
        if number is not None:
            with self._arrived:
                self._number, self._lost = number, False
                self._marks += 1
                self._arrived.notify_all()


def _terminal_in(said: str) -> str:
    found = _TERMINAL.search(said)
    if found is None:
        raise SessionError("the container has no second terminal")
    return found[0]
