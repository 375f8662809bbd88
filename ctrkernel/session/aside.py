"""Statements of ours in a person's shell, which leave no trace: not in ``$?``, ``set -x``, history.

They are cells as the person's are. What they print is nobody's output.
"""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

from ctrkernel.errors import CommandInterrupted, SessionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.session.execution import Execution
    from ctrkernel.session.shell import ShellSession

#: Seconds for statements that have nothing to wait for.
ASIDE_TIMEOUT = 20.0

#: The frame: the status and the trace option are kept, and errexit has nothing to fire at.
_FRAME = r"""{{ __ctrk_a=$? __ctrk_m=; case $- in *x*) __ctrk_m="{own} set -x;"; {own} set +x;; esac; }} 2>/dev/null
{{ if {{
{code}
}}; then {own} printf '%s\n' '{token} 0'; else {own} printf '%s\n' "{token} $?"; fi; }} >/dev/tty 2>&1
{{ {forget}{own} eval "{own} unset -v __ctrk_a __ctrk_m; $__ctrk_m case \$- in *e*) ;; *) (exit $__ctrk_a);; esac"; }} 2>/dev/null
"""  # noqa: E501 - a line of shell
#: The same for bash: the last word of a command is the next ``$_``, so the names are those that the
#: shell keeps anyway (:mod:`~ctrkernel.protocol.dialects.bash`); ``__ctrk_u`` is what it was.
_BASH_FRAME = r"""{{ __ctrk_s=$? __ctrk_q=; case $- in *x*) __ctrk_q=x; {own} set +x;; esac; }} 2>/dev/null
{{ if {{
{code}
}}; then {own} printf '%s\n' '{token} 0'; else {own} printf '%s\n' "{token} $?"; fi; }} >/dev/tty 2>&1
{{ {forget}case $__ctrk_q in x) {own} set -x;; esac; {own} : "${{__ctrk_u-}}"; case $- in *e*) ;; *) (exit $__ctrk_s);; esac; }} 2>/dev/null
"""  # noqa: E501 - a line of shell
#: And for zsh, where a function's last argument does it. Nothing looks like the words that switch
#: tracing on, not even ``-v`` of ``unset``: the dialect does not keep ``$_`` behind such cells.
_ZSH_FRAME = r"""{{ __ctrk_a=$? __ctrk_m=; case $- in *x*) __ctrk_m=x; {own} set +x;; esac; }} 2>/dev/null
{{ if {{
{code}
}}; then {own} printf '%s\n' '{token} 0'; else {own} printf '%s\n' "{token} $?"; fi; }} >/dev/tty 2>&1
{{ case $__ctrk_m in x) {own} set -$__ctrk_m;; esac; case $- in *e*) __ctrk_a=0;; esac; function {{ {own} unset __ctrk_a __ctrk_m; {own} return $1; }} $__ctrk_a "${{__ctrk_u-}}"; }} 2>/dev/null
"""  # noqa: E501 - a line of shell
#: bash has put the cell into its history before it began.
_FORGET = r"\builtin history -d $((HISTCMD-1)) || :; "


class Aside:
    """One run of statements of ours.

    Args:
        session: At its prompt.
        code: Statements; ``{own}`` stands for the word that passes functions by, and
            ``{token}`` for a word that :attr:`ready` waits for.

    Raises:
        ShellBusy: The session runs something.
        ShellExited: Its shell ended.
    """

    def __init__(self, session: ShellSession, code: str) -> None:
        self._session = session
        self._token = secrets.token_hex(8)
        self._printed = ""
        self._on_line: Callable[[str], None] | None = None
        bash, zsh = session.shell.startswith("bash"), session.shell.startswith("zsh")
        own = r"\builtin" if bash or zsh else r"\command"
        code = code.replace("{own}", own).replace("{token}", self._token)
        frame = _BASH_FRAME if bash else _ZSH_FRAME if zsh else _FRAME
        framed = frame.format(own=own, code=code, token=self._token, forget=_FORGET if bash else "")
        self._said = threading.Event()
        self._word = ""
        self._execution: Execution = session.submit(framed, on_output=self._take, ours=True)

    def _take(self, text: str) -> None:
        self._printed += text
        for line in self._printed.splitlines(keepends=True):
            if line.endswith("\n") and line.startswith(f"{self._token} ready"):
                self._word = line.removeprefix(f"{self._token} ready").strip()
                self._said.set()

    def wait_ready(self) -> str | None:
        """Wait until the statements print ``TOKEN ready WORD``; return the word, None at the end.

        It is the statements' end if they end without it.
        """
        self._execution.future.add_done_callback(lambda _: self._said.set())
        self._said.wait(ASIDE_TIMEOUT)
        return self._word if f"{self._token} ready" in self._printed else None

    def end(self, timeout: float = ASIDE_TIMEOUT) -> tuple[int, list[str]]:
        """Wait for the end; return the statements' status and the lines that they printed.

        Args:
            timeout: Seconds.

        Raises:
            CommandInterrupted: They did not come to their end.
            CommandTimedOut: They took longer than `timeout` seconds.
            ShellExited: The shell ended.
        """
        self._session.wait(self._execution, timeout)
        *lines, last = self._printed.splitlines() or [""]
        if not last.startswith(f"{self._token} "):
            if self._execution.interrupts:
                raise CommandInterrupted(f"interrupted in session {self._session.name}")
            raise SessionError(
                f"the shell of session {self._session.name} refused it: "
                f"{last or 'it said nothing'}; try in another --session"
            )
        return int(last.split()[1]), [line for line in lines if not line.startswith(self._token)]


def run_aside(session: ShellSession, code: str) -> tuple[int, list[str]]:
    """Run statements of ours to their end; see :class:`Aside`."""
    return Aside(session, code).end()
