"""Paths as people type them, on either side, told apart from what they assert."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.patterns import Path, resolve, tilde_user, variables

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T")

#: Whose a path is, in messages.
HERE: Final = "on this machine"
THERE: Final = "in the container"


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
    """Read a path in a container that is no pattern and uses no variables.

    Args:
        typed: The path; ``~`` and ``~/x`` are the home folder.
        base: The shell's working directory, absolute.
        home: The shell's home folder, if it is known.

    Raises:
        TransferError: The path is empty or holds a NUL, or the home folder is not known.
    """
    homes = {} if home is None else {"": home}
    path = resolve(str(typed), values={}, homes=homes, where=THERE)
    return typed_path(typed, path.text, base=base, where=THERE)


def local_path(typed: str) -> TypedPath:
    """Read a path on this machine that is no pattern.

    Raises:
        TransferError: The path is empty or holds a NUL, or a variable is not set.
    """
    base = os.getcwd()  # noqa: PTH109 - a Path drops the ending
    return typed_path(typed, resolve_local(typed).text, base=base, where=HERE)


def resolve_local(word: str) -> Path:
    """Put the variables and home folders of this machine into `word`.

    Raises:
        TransferError: A variable is not set, or `word` holds what only a shell may do.
    """
    variables([word])  # refuses what is no variable
    user = tilde_user(word)
    home = "~" if user is None else os.path.expanduser(f"~{user}")  # noqa: PTH111 - as above
    homes = {} if user is None or home.startswith("~") else {user: home}
    return resolve(word, values=os.environ, homes=homes, where=HERE)


def only(found: Sequence[_T], word: str) -> _T:
    """Return the one destination that `word` names.

    Raises:
        TransferError: It is a pattern that matches several.
    """
    if len(found) > 1:
        raise TransferError(
            f"{one_line(word)} matches {len(found)} names, and there can be one destination; "
            "name an existing folder last"
        )
    return found[0]


def typed_path(shown: str, path: str, *, base: str, where: str) -> TypedPath:
    """Read a path that starts from `base`.

    Args:
        shown: As it was typed.
        path: With variables and the home folder put in.
        base: The folder that a relative one starts from.
        where: Whose path it is, for messages.

    Raises:
        TransferError: The path is empty or holds a NUL.
    """
    if not path:
        raise TransferError(f"a path {where} is empty; type `.` for the current folder")
    if "\0" in path:
        raise TransferError(f"a path {where} holds a NUL byte; no file can be named so")
    joined = posixpath.join(base, path)
    contents = joined.endswith("/.")
    asserts = contents or joined.endswith(("/", "/.."))
    whole = joined.rstrip("/") or "/"
    while whole.endswith("/."):
        whole = whole[:-2].rstrip("/") or "/"
    return TypedPath(shown=shown, path=whole, asserts_folder=asserts, contents=contents)
