"""The shells that are spoken to, each in a module of its own."""

from __future__ import annotations

from ctrkernel.protocol.dialects.base import Dialect, ShellState, hello_line
from ctrkernel.protocol.dialects.bash import Bash
from ctrkernel.protocol.dialects.posix import Posix
from ctrkernel.protocol.dialects.zsh import Zsh

__all__ = ["Bash", "Dialect", "Posix", "ShellState", "Zsh", "choose", "hello_line"]


def choose(nonce: str, *, bash_version: str, zsh_version: str) -> Dialect:
    """Return the dialect of a shell that reported these versions; empty where it has none."""
    if bash_version:
        return Bash(nonce)
    return Zsh(nonce) if zsh_version else Posix(nonce)
