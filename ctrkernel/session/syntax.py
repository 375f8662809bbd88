"""Whether code is complete, told by the container's own shell, which reads it and runs nothing."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from ctrkernel.protocol.open_code import Opening, opening

if TYPE_CHECKING:
    from ctrkernel.session.shell import ShellSession

#: Seconds for an answer: jupyter console asks no more once one took longer than a second.
SYNTAX_TIMEOUT: Final = 0.7
#: Characters above which the shell is not asked.
LONGEST: Final = 100_000

#: $1 the session's pid, $2 a shell, $3 the code. Prints the shell's name and status, then what it
#: says. The option n has it read commands and not execute them: POSIX.1, set.
_READ_ONLY: Final = r"""
shell=$(readlink "/proc/$1/exe" 2>/dev/null) || shell=$2
name=${shell##*/}
case $name in
*busybox*) set -- "$3" "$shell" sh;;
bash*) name=bash; set -- "$3" "$shell" --norc -O extglob;;
zsh*) name=zsh; set -- "$3" "$shell" -f;;
*) set -- "$3" "$shell";;
esac
code=$1; shift
said=$(printf '%s\n' "$code" | LC_ALL=C "$@" -n 2>&1 >/dev/null)
printf '%s %s\n%s' "$name" "$?" "$said"
"""

#: What the shells say where more could follow: bash; dash; busybox.
_CUT: Final = re.compile(
    r"end of file|\bEOF\b|unterminated quoted|missing '|`newline'.*conditional", re.IGNORECASE
)
#: bash reads a here-document to the end of all, and warns only.
_WARNING: Final = re.compile(r": warning: ")
_DOCUMENT: Final = re.compile(r"here-document")
#: zsh tells a cut by what it met last, which is the beginning of what is open; or a newline.
_ZSH_CUT: Final = re.compile(r"unmatched |closing brace expected")
_ZSH_WRONG: Final = re.compile(
    r"parse error near `(?:[;&|)}]|(?:do|done|fi|esac|then|else|elif)\b)"
)

#: Words that are no command's name, whatever follows: a shell's grammar begins with them.
_GRAMMAR: Final = frozenset(
    (
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "while",
        "until",
        "do",
        "done",
        "for",
        "foreach",
        "end",
        "select",
        "case",
        "esac",
        "in",
        "function",
        "repeat",
        "coproc",
        "nocorrect",
        "time",
        "always",
    )
)
#: Words that mean themselves, blanks between them: complete in any shell.
_PLAIN: Final = re.compile(r"[ \t]*([\w./:@%+,-]+)(?:[ \t]+[\w./:@%+,=-]+)*\s*", re.ASCII)


class Verdict(Enum):
    """What a shell makes of code; the values are those of Jupyter's is_complete_reply."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    INVALID = "invalid"
    UNKNOWN = "unknown"


def at_a_glance(code: str) -> Verdict:
    """Judge code that needs no shell: nothing at all, or a plain command; else it is unknown."""
    if not code.strip():
        return Verdict.COMPLETE
    match = _PLAIN.fullmatch(code)
    return Verdict.COMPLETE if match and match[1] not in _GRAMMAR else Verdict.UNKNOWN


def judge(session: ShellSession, code: str, *, timeout: float = SYNTAX_TIMEOUT) -> Verdict:
    """Return what the session's shell makes of `code`; it runs nothing of it.

    Args:
        session: Any; it may be running a command.
        code: Any number of lines.
        timeout: Seconds after which it is unknown.
    """
    verdict = at_a_glance(code)
    if verdict is not Verdict.UNKNOWN or len(code) > LONGEST:
        return verdict
    said = session.side.request(
        _READ_ONLY, str(session.pid or 0), session.helper, code, timeout=timeout
    )
    return interpret(said.decode(errors="replace"), code)


def interpret(said: str, code: str) -> Verdict:
    """Tell a verdict from what a shell said.

    Args:
        said: Its name and status on the first line, then its complaints; empty for no answer.
        code: What it read.
    """
    first, _, complaints = said.partition("\n")
    name, _, status = first.rpartition(" ")
    # 126 and 127: there is no such program.
    if not status.isdigit() or int(status) in (126, 127):
        return Verdict.UNKNOWN
    lines = complaints.splitlines()
    errors = [line for line in lines if not _WARNING.search(line)]
    what = opening(code)
    if name == "zsh":
        return _of_zsh(errors, what)
    if errors:
        # The first one counts: the rest is behind what is wrong.
        return Verdict.INCOMPLETE if _CUT.search(errors[0]) else Verdict.INVALID
    if any(_DOCUMENT.search(line) for line in lines):
        return Verdict.INCOMPLETE
    # Where they say nothing: bash of the last backslash, the others of a here-document too.
    silent = (Opening.LINE,) if name == "bash" else (Opening.LINE, Opening.DOCUMENT)
    return Verdict.INCOMPLETE if what in silent else Verdict.COMPLETE


def _of_zsh(errors: list[str], what: Opening | None) -> Verdict:
    """Say what zsh does not: it takes a loop without a body, and calls a cut an error."""
    if errors and _ZSH_CUT.search(errors[0]):
        return Verdict.INCOMPLETE
    if what is not None and not (errors and _ZSH_WRONG.search(errors[0])):
        return Verdict.INCOMPLETE
    return Verdict.INVALID if errors else Verdict.COMPLETE
