"""Which names a person's shell knows: functions, aliases, variables, and where programs are.

They are asked by a statement of ours while the shell has nothing to do, and kept until it has run
something else. While it works, what is known is told.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import CtrKernelError
from ctrkernel.session.aside import Aside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ctrkernel.session.shell import ShellSession

#: Seconds that the statement may take; then what is known is told, and it is interrupted.
LONGEST: Final = 2.0
#: Names of ours in the person's shell.
_OURS: Final = "__ctrk_"
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)

#: Each line begins with a letter that says what it names.
_BASH: Final = r"""
{own} compgen -A alias -P 'a '
{own} compgen -A function -P 'f '
{own} compgen -A variable -P 'v '
{own} printf 'P %s\n' "${PATH-}"
{own} complete -p 2>/dev/null
{own} :
"""
#: The parameter module has them all; it is part of every zsh.
_ZSH: Final = r"""
{own} zmodload zsh/parameter
{own} print -rl -- 'a '${^${(k)aliases}} 'f '${^${(k)functions}} 'v '${^${(k)parameters}}
{own} print -rl -- 'b '${^${(k)builtins}} 'k '${^${(k)reswords}}
{own} print -r -- "P ${PATH-}"
"""
#: A POSIX shell cannot list its functions. What it prints can be read again by a shell.
_POSIX: Final = r"""
{own} alias
{own} printf '\001\n'
{own} set
"""
_VALUE: Final = "{{own}} printf '= %s %s\\n' {name} \"${{{name}-}}\"\n"
#: ``name='value'`` as POSIX shells print it, with line breaks in the quotes.
_SETTING: Final = re.compile(
    r"""^(?:alias )?([^\s='"]+)=((?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])*)$""", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Names:
    """What a shell knows.

    Attributes:
        aliases: Their names.
        functions: Those of functions, where the shell can tell.
        variables: Those of variables.
        words: Those of builtins and reserved words, where the shell tells: by kind.
        path: Where it looks for programs; empty where it was not asked so far.
        specs: bash's completion specifications, by command, as lines of shell.
    """

    aliases: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path: str = ""
    specs: Mapping[str, str] = field(default_factory=dict)


class LiveNames:
    """The names of one session's shell.

    Args:
        session: The shell.
        turn: Held while the shell is asked: whoever runs cells holds it meanwhile. It is not
            waited for.
    """

    def __init__(self, session: ShellSession, *, turn: threading.Lock | None = None) -> None:
        self._session = session
        self._turn = turn
        self._lock = threading.Lock()
        self._names = Names()
        self._values: dict[str, str] = {}
        self._functions = ""
        #: Which command of the session's was the last when they were asked.
        self._as_of = -1
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ctrkernel-names")

    def get(self, values: Iterable[str] = (), *, timeout: float) -> tuple[Names, dict[str, str]]:
        """Return what the shell knows, and the values of some variables.

        Args:
            values: Variables' names.
            timeout: Seconds that may be waited.
        """
        wanted = tuple(name for name in values if _NAME.fullmatch(name))
        if self._stale(wanted):
            self._in_time(lambda: self._ask(wanted), timeout)
        with self._lock:
            known = {name: self._values[name] for name in wanted if name in self._values}
            return self._names, known

    def definitions(self, *, timeout: float) -> str:
        """Return the shell's functions as code that defines them; bash alone."""
        if not self._functions and self._session.shell.startswith("bash"):
            self._in_time(self._ask_definitions, timeout)
        return self._functions

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False)

    def _in_time(self, work: Callable[[], None], timeout: float) -> None:
        try:
            self._thread.submit(work).result(timeout)
        except (FutureTimeout, CtrKernelError, RuntimeError):
            # The shell is slow, or has ended: what is known is told.
            return

    def _stale(self, values: tuple[str, ...]) -> bool:
        with self._lock:
            known = self._as_of == self._session.commands
            return not (known and all(name in self._values for name in values))

    def _ask(self, values: tuple[str, ...]) -> None:
        if not self._stale(values):
            return
        shell = self._session.shell
        bash, zsh = shell.startswith("bash"), shell.startswith("zsh")
        code = _BASH if bash else _ZSH if zsh else _POSIX
        code = "".join(_VALUE.format(name=name) for name in values) + code
        lines = self._run(code)
        if lines is None:
            return
        asked = dict(
            line[2:].split(" ", 1) for line in lines if line.startswith("= ") and " " in line[2:]
        )
        names = _read(lines) if bash or zsh else _read_posix(lines)
        with self._lock:
            self._names = names
            self._values = asked
            self._functions = ""
            self._as_of = self._session.commands

    def _ask_definitions(self) -> None:
        lines = self._run("{own} declare -f\n")
        if lines is not None:
            with self._lock:
                self._functions = "\n".join(lines)
                # Only that was run since.
                self._as_of = self._session.commands

    def _run(self, code: str) -> list[str] | None:
        """Run statements of ours; None where the shell has something to do."""
        turn = self._turn
        if turn is not None and not turn.acquire(blocking=False):
            return None
        try:
            if not self._session.may_be_asked:
                return None
            return Aside(self._session, code).end(LONGEST)[1]
        finally:
            if turn is not None:
                turn.release()


def _read(lines: list[str]) -> Names:
    found: dict[str, list[str]] = {}
    specs: dict[str, str] = {}
    for line in lines:
        kind, _, name = line.partition(" ")
        if kind == "complete":
            specs[line.rpartition(" ")[2]] = line
        elif len(kind) == 1 and name and not name.startswith(_OURS):
            found.setdefault(kind, []).append(name)
    return Names(
        aliases=tuple(found.get("a", ())),
        functions=tuple(found.get("f", ())),
        variables=tuple(name for name in found.get("v", ()) if _NAME.fullmatch(name)),
        words={
            kind: tuple(found[letter])
            for letter, kind in (("b", "builtin"), ("k", "keyword"))
            if letter in found
        },
        path=next(iter(found.get("P", ())), ""),
        specs=specs,
    )


def _read_posix(lines: list[str]) -> Names:
    aliases, _, settings = "\n".join(lines).partition("\001\n")
    values = dict(_SETTING.findall(settings))
    return Names(
        aliases=tuple(name for name, _ in _SETTING.findall(aliases)),
        variables=tuple(n for n in values if _NAME.fullmatch(n) and not n.startswith(_OURS)),
        path=re.sub(r"""['"]""", "", values.get("PATH", "")),
    )
