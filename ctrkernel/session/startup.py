"""Why a shell did not come to its first prompt, and what to do about it."""

from __future__ import annotations

from ctrkernel.errors import ShellNotFound, ShellStartFailed, one_line

#: Characters of what a shell said that a message shows.
SAID_LIMIT = 200
_NEXT = "look at its start files, or set CTRKERNEL_SHELL=/bin/sh"


def no_prompt(container: str, timeout: float, greeting: bytes) -> ShellStartFailed:
    """It took too long."""
    return ShellStartFailed(
        f"the shell in {container} did not come to a prompt within {timeout:g} s"
        f"{_said(greeting)}; {_NEXT}"
    )


def ended_early(container: str, status: int, greeting: bytes) -> ShellStartFailed:
    """It ended first."""
    return ShellStartFailed(
        f"the shell in {container} ended with status {status} before its first prompt"
        f"{_said(greeting)}; {_NEXT}"
    )


def abandoned(container: str) -> ShellStartFailed:
    """Nobody waits for it any more."""
    return ShellStartFailed(
        f"the shell in {container} was interrupted before its first prompt; run the cell again"
    )


def no_shell(cli: str, container: str, *, asked: str) -> ShellNotFound:
    """The program is not there.

    Args:
        cli: The engine's program, as a person types it.
        container: The container.
        asked: What ``CTRKERNEL_SHELL`` named; empty where it named nothing.
    """
    if asked:
        return ShellNotFound(
            f"{container} has no {asked.split(maxsplit=1)[0]}; unset CTRKERNEL_SHELL for "
            "the one that the image has"
        )
    return ShellNotFound(
        f"{container} has no shell (neither bash nor sh); use an image with one, or copy one in: "
        f"`{cli} cp /bin/busybox {container}:/busybox` and CTRKERNEL_SHELL='/busybox sh'"
    )


def _said(greeting: bytes) -> str:
    said = one_line(greeting.decode("utf-8", "replace"), limit=SAID_LIMIT)
    return f" (it said: {said})" if said else ""
