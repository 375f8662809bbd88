"""A container's variables and secrets: set in a shell, and again in each that replaces it."""

from __future__ import annotations

import re
import secrets
import shlex
import threading
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.engine import ANSWER_TIMEOUT
from ctrkernel.errors import EngineError, SessionError, UsageError, one_line
from ctrkernel.session.aside import Aside, run_aside
from ctrkernel.session.mask import SHORTEST, Mask, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ctrkernel.session.shell import ShellSession

#: Characters of a secret that are typed on one line; a terminal's line holds 4,095 bytes.
_PIECE: Final = 200
#: Bytes of a value: Linux passes 131,072 of ``NAME=value`` to a program, execve(2).
VALUE_LIMIT: Final = 100_000
#: A name for a variable, POSIX.1 XBD 8.1.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: What a terminal would act on, or a shell cannot hold; a newline is a line's end.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

#: Fails, and prints the name, if it cannot be set.
_SETTABLE = """{{ ( {own} unset -v {name} ) 2>/dev/null || {{ {own} echo {name}; false; }}; }}"""
#: Reads a value that is typed: each line has one character before it, ``n`` for a newline before
#: the piece; a single dot ends it. Nothing of it is ever a word of a command.
_READ_TYPED = r"""
{{ command stty -echo </dev/tty; }} 2>/dev/null
{own} printf '%s ready\n' {token}
__ctrk_v= __ctrk_l=
while IFS= {own} read -r __ctrk_l; do
case $__ctrk_l in
.) break;;
n*) __ctrk_v="$__ctrk_v
";;
esac
__ctrk_v=$__ctrk_v${{__ctrk_l#?}}
done </dev/tty
case $__ctrk_l in
.) {name}=$__ctrk_v; {own} export {name}; {own} unset -v __ctrk_v __ctrk_l;;
*) {own} unset -v __ctrk_v __ctrk_l; (exit 4);;
esac"""
#: Starts a program that waits, so that its environment and the container's own can be looked at.
_WAIT = (
    'command {helper} -c \'printf "%s ready %s\\n" {token} "$$"; read -r line\' </dev/tty >/dev/tty'
)
#: Prints the environment of an exec, a line, and the environment of process $1.
_ENVIRONMENTS = 'cat /proc/self/environ && echo && echo "$2" && cat "/proc/$1/environ"'


class Variables:
    """What a container's shells were given, so that a new one gets it too; thread-safe.

    Args:
        mask: Learns every secret.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._lock = threading.Lock()
        #: None for one that was unset.
        self._plain: dict[str, str | None] = {}
        self._secret: dict[str, Secret] = {}

    def __bool__(self) -> bool:
        """Whether a new shell is to be given anything."""
        return bool(self._plain or self._secret)

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the secrets."""
        with self._lock:
            return frozenset(self._secret)

    def apply(self, session: ShellSession) -> None:
        """Give a new shell what the others were given."""
        with self._lock:
            plain, secret = dict(self._plain), dict(self._secret)
        _change(session, plain)
        for name, value in secret.items():
            _give_secret(session, name, value)

    def change(self, session: ShellSession, values: Mapping[str, str | None]) -> None:
        """Set and export variables, or unset those whose value is None; none or all.

        Raises:
            UsageError: A name or a value is none.
            SessionError: The shell refuses it.
            ShellBusy: The session runs something.
        """
        for name, value in values.items():
            check_name(name)
            if value is not None and "\0" in value:
                raise UsageError(f"the value of {name} holds a NUL, which no variable can")
        _change(session, values)
        with self._lock:
            self._plain.update(values)
            for name in values:
                self._secret.pop(name, None)

    def keep_secret(self, session: ShellSession, name: str, secret: Secret) -> None:
        """Set and export a variable whose value is never shown, typed in and nowhere written.

        Raises:
            UsageError: The name or the value is none; the value is hidden from output all the same.
            SessionError: The shell refuses it.
            ShellBusy: The session runs something.
        """
        check_name(name)
        self._mask.add(secret)
        _check_secret(name, secret)
        _give_secret(session, name, secret)
        with self._lock:
            self._secret[name] = secret
            self._plain.pop(name, None)


def check_name(name: str) -> str:
    """Return `name` if a variable can be called that.

    Raises:
        UsageError: It cannot.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{one_line(name, limit=40)!r} is no name for a variable; use letters, digits and _"
        )
    return name


def values_of(session: ShellSession, names: Sequence[str]) -> dict[str, str]:
    """Return the values of a shell's variables, exported or not; unset ones are left out.

    Raises:
        ShellBusy: The session runs something.
    """
    if not names:
        return {}
    border = secrets.token_hex(8)
    words = " ".join(f'{border} "${{{check_name(name)}+=}}${{{name}-}}" {border}' for name in names)
    _, lines = run_aside(session, f"{{own}} printf %s {words}; {{own}} echo")
    values = re.findall(f"{border}(.*?){border}", "\n".join(lines), re.DOTALL)
    pairs = zip(names, values, strict=False)
    return {name: value[1:] for name, value in pairs if value.startswith("=")}


def exported(session: ShellSession) -> tuple[dict[str, str], frozenset[str]]:
    """Return a shell's exported variables, and the names of those that any exec gets.

    Read from the environment of a program that the shell starts, byte by byte and past every
    mask; names that are no shell's, such as those of bash's exported functions, are left out.

    Raises:
        ShellBusy: The session runs something.
        SessionError: The container has no program to read them.
    """
    code = _WAIT.format(helper=shlex.quote(session.helper), token="{token}")  # noqa: S106 - a placeholder
    aside = Aside(session, code)
    pid, printed = aside.wait_ready(), None
    if pid:
        try:
            printed = _environments(session, pid)
        finally:
            session.type(b"\n")
    status, _ = aside.end()
    if status or not pid or printed is None:
        raise SessionError(
            f"the environment of session {session.name} cannot be read; "
            "it takes `cat` and /proc in the container"
        )
    theirs, shell = (_parse(each) for each in printed)
    return shell, frozenset(theirs)


def _environments(session: ShellSession, pid: str) -> tuple[bytes, bytes] | None:
    border = "ctrkernel"
    argv = session.engine.exec_argv(
        session.container, [session.helper, "-c", _ENVIRONMENTS, "ctrkernel", pid, border]
    )
    try:
        done = session.engine.run(argv[1:], timeout=ANSWER_TIMEOUT)
    except EngineError:
        return None
    theirs, found, shell = done.stdout.partition(f"\n{border}\n".encode())
    return (theirs, shell) if found and not done.exit_code else None


def _parse(environ: bytes) -> dict[str, str]:
    pairs = (entry.partition(b"=") for entry in environ.split(b"\0"))
    texts = ((name.decode(errors="replace"), value) for name, equals, value in pairs if equals)
    return {
        name: value.decode("utf-8", "surrogateescape")
        for name, value in texts
        if _NAME.fullmatch(name) and name not in ("_", "CTRKERNEL_NONCE")
    }


def _change(session: ShellSession, values: Mapping[str, str | None]) -> None:
    if not values:
        return
    statements = [
        f"{{own}} unset -v {name}"
        if value is None
        else f"{name}={shlex.quote(value)}; {{own}} export {name}"
        for name, value in values.items()
    ]
    setting = " &&\n".join(f"{{ {each}; }}" for each in statements)
    status, lines = run_aside(session, f"{_settable(values)} &&\n{setting}")
    if status:
        raise _refused(session, lines)


def _settable(names: Iterable[str]) -> str:
    return " &&\n".join(_SETTABLE.format(name=name, own="{own}") for name in names)


def _give_secret(session: ShellSession, name: str, secret: Secret) -> None:
    read = _READ_TYPED.format(name=name, own="{own}", token="{token}")  # noqa: S106 - a placeholder
    aside = Aside(session, f"{_settable([name])} && {{\n{read}\n}}")
    if aside.wait_ready() is not None:
        session.type(_typed(secret))
    status, lines = aside.end()
    if status:
        raise _refused(session, lines or [name])


def _refused(session: ShellSession, lines: list[str]) -> SessionError:
    name = lines[-1] if lines else "a variable"
    return SessionError(
        f"{one_line(name)} cannot be set in session {session.name}: it is readonly there; "
        "choose another name or another --session"
    )


def _typed(secret: Secret) -> bytes:
    lines = []
    for number, line in enumerate(secret.reveal().split("\n")):
        pieces = [line[at : at + _PIECE] for at in range(0, len(line), _PIECE)] or [""]
        lines.append(("n" if number else "+") + pieces[0])
        lines += [f"+{piece}" for piece in pieces[1:]]
    return "".join(f"{line}\n" for line in [*lines, "."]).encode()


def _check_secret(name: str, secret: Secret) -> None:
    value = secret.reveal()
    if max(map(len, value.splitlines()), default=0) < SHORTEST:
        raise UsageError(
            f"the value for {name} is shorter than {SHORTEST} characters, too short to be hidden "
            "in output; use %ctr_env if it is no secret"
        )
    if _CONTROL.search(value):
        raise UsageError(
            f"the value for {name} holds control characters (a carriage return?), which cannot be "
            "typed; take them out"
        )
    if len(value.encode(errors="surrogateescape")) > VALUE_LIMIT:
        raise UsageError(
            f"the value for {name} is longer than {VALUE_LIMIT} bytes; "
            "put it into a file and use %ctr_put"
        )
