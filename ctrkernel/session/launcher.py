"""Which shell is started, and in what environment."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ctrkernel.errors import UsageError
from ctrkernel.protocol.dialects.base import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Arguments that make each shell leave the terminal's lines to the terminal.
_ARGUMENTS = {
    "bash": ("--noediting", "+o", "history", "-i"),
    "zsh": ("-i", "+Z"),
}
#: The terminal is made silent before the shell sees it: busybox edits lines where there is echo.
_SILENCE = f"{TERMINAL} 2>/dev/null; "
#: Asked of the container once: bash where there is one, else sh.
_CHOOSE = 'if command -v bash >/dev/null 2>&1; then exec bash "$@"; fi; exec sh -i'

#: What names a pager; with ``cat`` git, man, systemctl and psql print and do not stop to page.
PAGERS = ("PAGER", "GIT_PAGER", "MANPAGER", "SYSTEMD_PAGER", "PSQL_PAGER")
ENVIRONMENT = {"TERM": "xterm-256color", **dict.fromkeys(PAGERS, "cat")}


@dataclass(frozen=True, slots=True)
class Screen:
    """A shell's terminal.

    Attributes:
        rows: Its height in characters.
        columns: Its width.
        env: Variables that go with it.
    """

    rows: int = 40
    columns: int = 120
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Launch:
    """One way to start a shell.

    Attributes:
        argv: What the engine executes in the container.
        helper: A shell of the POSIX family in the same container, for short scripts.
    """

    argv: tuple[str, ...]
    helper: str


def launches(shell: str | None) -> list[Launch]:
    """Return the ways to try, in order.

    Args:
        shell: What ``CTRKERNEL_SHELL`` names, arguments included; None for the container's own.

    Raises:
        UsageError: `shell` cannot be split into words.
    """
    if not shell:
        return [
            Launch(("sh", "-c", _SILENCE + _CHOOSE, "sh", *_ARGUMENTS["bash"]), "sh"),
            Launch(("bash", *_ARGUMENTS["bash"]), "bash"),
        ]
    try:
        words = shlex.split(shell)
    except ValueError as error:
        raise UsageError(
            f"CTRKERNEL_SHELL={shell} cannot be read: {error}; name a program, such as /bin/bash"
        ) from error
    if not words:
        return launches(None)
    name = PurePosixPath(words[0]).name
    # bash wants its long options before all others.
    first = ("--noediting",) if name == "bash" else ()
    arguments = _ARGUMENTS.get(name, ("-i",))[len(first) :]
    argv = (words[0], *first, *words[1:], *arguments)
    return [
        Launch(("sh", "-c", _SILENCE + 'exec "$@"', "sh", *argv), "sh"),
        Launch(argv, words[0]),
    ]


def environment(extra: Mapping[str, str], *, nonce: str) -> dict[str, str]:
    """Return the variables that an exec sets; the shell unsets the nonce before the first cell."""
    return {**ENVIRONMENT, **extra, "CTRKERNEL_NONCE": nonce}
