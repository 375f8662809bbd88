"""What completion knows of some commands by itself: whose words are commands, folders, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ctrkernel.protocol.typed_word import Word

#: Commands that run another one, and their options that take a word.
RUNS_ANOTHER: Final = {
    "builtin": "",
    "command": "",
    "doas": "-u -C",
    "env": "-u -C -S",
    "exec": "-a",
    "nice": "-n",
    "nohup": "",
    "setsid": "",
    "stdbuf": "-i -o -e",
    "strace": "-e -o -p",
    "sudo": "-u -g -h -p -C -r -t -T -U -D",
    "time": "-f -o",
    "timeout": "-k -s",
    "watch": "-n -d",
    "xargs": "-I -n -P -L -d -E -s -a",
}
#: Commands whose arguments are names of commands.
OF_COMMANDS: Final = frozenset(("hash", "type", "whereis", "which"))
FOLDERS: Final = frozenset(("cd", "pushd", "rmdir"))
#: Builtins whose arguments are names of the live shell, by the kinds that they take.
NAMES: Final = {
    "alias": "a",
    "declare": "v",
    "export": "v",
    "getopts": "v",
    "local": "v",
    "mapfile": "v",
    "read": "v",
    "readarray": "v",
    "readonly": "v",
    "typeset": "v",
    "unalias": "a",
    "unset": "vf",
}
#: Builtins and reserved words of POSIX, for shells that cannot list theirs.
POSIX: Final = {
    "builtin": (
        *(".", ":", "[", "alias", "bg", "break", "cd", "command", "continue", "echo", "eval"),
        *("exec", "exit", "export", "false", "fg", "getopts", "hash", "jobs", "kill", "local"),
        *("printf", "pwd", "read", "readonly", "return", "set", "shift", "test", "times", "trap"),
        *("true", "type", "ulimit", "umask", "unalias", "unset", "wait"),
    ),
    "keyword": (
        *("!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then"),
        *("until", "while"),
    ),
}


def inner(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Return the words of the command that another one runs, such as ``sudo``; else the same.

    Empty where the cursor is at that command's own place.
    """
    while words and words[0].raw in RUNS_ANOTHER:
        with_word = RUNS_ANOTHER[words[0].raw].split()
        number = words[0].raw == "timeout"
        rest = list(words[1:])
        while rest:
            first = rest[0].raw
            if first.startswith("-"):
                del rest[: 2 if first in with_word else 1]
            elif "=" in first or number:
                number = number and "=" in first
                del rest[0]
            else:
                break
        words = tuple(rest)
    return words


def segments(word: Word) -> list[str]:
    """Split a word where bash does for its completion functions: at ``=`` and ``:``."""
    segments: list[str] = []
    at = 0
    for end in word.breaks:
        if end - 1 > at:
            segments.append(word.raw[at : end - 1])
        elif segments and segments[-1][-1:] in "=:" and at:
            segments[-1] += word.raw[end - 1 : end]
            at = end
            continue
        segments.append(word.raw[end - 1 : end])
        at = end
    if at < len(word.raw) or not segments:
        segments.append(word.raw[at:])
    return segments
