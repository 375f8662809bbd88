"""Paths as people type them, on either side, told apart from what they assert."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass

from ctrkernel.errors import TransferError


@dataclass(frozen=True, slots=True)
class TypedPath:
    """A path, absolute, with what its ending says.

    Args:
        shown: As it was typed.
        path: Absolute, without a trailing slash or ``/.``; links and ``..`` are not resolved.
        asserts_folder: It ended in ``/`` or ``/.``: it is meant to be a folder.
        contents: It ended in ``/.``: what is in the folder is meant, not the folder.
    """

    shown: str
    path: str
    asserts_folder: bool
    contents: bool

    @property
    def name(self) -> str:
        """The last part; empty for ``/``."""
        return posixpath.basename(self.path)


def container_path(typed: str, *, base: str, home: str | None) -> TypedPath:
    """Read a path in a container as its shell would.

    Args:
        typed: The path; ``~`` and ``~/x`` are the home folder.
        base: The shell's working directory, absolute.
        home: The shell's home folder, if it is known.

    Raises:
        TransferError: The path is empty or holds a NUL, or the home folder is not known.
    """
    _check(typed, "in the container")
    if typed == "~" or typed.startswith("~/"):
        if home is None:
            raise TransferError(
                f"the home folder is not known, so {typed} has no meaning; type the whole path"
            )
        return _typed(typed, posixpath.join(home, typed[2:]) if typed[2:] else home + typed[1:])
    return _typed(typed, posixpath.join(base, typed))


def local_path(typed: str) -> TypedPath:
    """Read a path on this machine; ``~`` expands, a relative one starts at the current folder.

    Raises:
        TransferError: The path is empty or holds a NUL.
    """
    _check(typed, "on this machine")
    expanded = os.path.expanduser(typed) if typed.startswith("~") else typed  # noqa: PTH111 - a Path drops the ending
    return _typed(typed, os.path.join(os.getcwd(), expanded))  # noqa: PTH109, PTH118 - as above


def _check(typed: str, where: str) -> None:
    if not typed:
        raise TransferError(f"a path {where} is empty; type `.` for the current folder")
    if "\0" in typed:
        raise TransferError(f"a path {where} holds a NUL byte; no file can be named so")


def _typed(shown: str, joined: str) -> TypedPath:
    contents = joined.endswith("/.")
    asserts = contents or joined.endswith(("/", "/.."))
    path = joined.rstrip("/") or "/"
    while path.endswith("/."):
        path = path[:-2].rstrip("/") or "/"
    return TypedPath(shown=shown, path=path, asserts_folder=asserts, contents=contents)
