"""Who shall own what is put: the numbers behind a container's user."""

from __future__ import annotations

import grp
import pwd
from typing import Final

from ctrkernel.errors import TransferError, one_line

#: The greatest number of a user or group: the one above it means "as it is" (chown(2)).
_GREATEST: Final = 2**32 - 2


def needs_user_files(user: str) -> bool:
    """Whether the container's own user files must be read to know the numbers of `user`."""
    name, _, group = user.partition(":")
    return bool(user) and (_number(name) is None or _number(group) is None)


def owner_of(user: str, *, passwd: str, group: str) -> tuple[int, int]:
    """Return the uid and gid of `user`, as the engine itself reads it for ``--user``.

    Args:
        user: ``name``, ``uid``, ``name:group``, ``uid:gid``; empty is root.
        passwd: The text of the container's ``/etc/passwd``.
        group: The text of its ``/etc/group``.

    Raises:
        TransferError: The container does not know the name.
    """
    if not user:
        return 0, 0
    name, _, group_name = user.partition(":")
    _require_user(name, user)
    uid, gid = _user(name, passwd)
    if group_name:
        gid = _group(group_name, group)
    return uid, gid


def local_owner(owner: str) -> tuple[int, int]:
    """Return the uid and gid of ``USER[:GROUP]`` of this machine.

    Raises:
        TransferError: This machine does not know the name.
    """
    name, _, group_name = owner.partition(":")
    _require_user(name, owner)
    number, group_number = _number(name), _number(group_name)
    try:
        if number is not None:
            uid, gid = number, -1
        else:
            entry = pwd.getpwnam(name)
            uid, gid = entry.pw_uid, entry.pw_gid
        if group_name:
            gid = grp.getgrnam(group_name).gr_gid if group_number is None else group_number
    except KeyError as error:
        raise TransferError(
            f"this machine knows no {one_line(owner, limit=60)}; name one of its users and groups, "
            "or numbers"
        ) from error
    return uid, gid


def homes_of(passwd: str) -> dict[str, str]:
    """Return the home folders by user, of the text of a ``/etc/passwd``."""
    return {fields[0]: fields[5] for fields in _lines(passwd, fields=6) if fields[5]}


def _user(name: str, passwd: str) -> tuple[int, int]:
    number = _number(name)
    at = 0 if number is None else 2
    for fields in _lines(passwd, fields=4):
        if fields[at] == name and fields[2].isdigit() and fields[3].isdigit():
            return int(fields[2]), int(fields[3])
    if number is not None:
        return number, 0  # the engine's default for a uid without an entry
    raise TransferError(
        f"the container knows no user {one_line(name, limit=60)}; name one that stands in its "
        "/etc/passwd, or a number"
    )


def _group(name: str, group: str) -> int:
    number = _number(name)
    if number is not None:
        return number
    for fields in _lines(group, fields=3):
        if fields[0] == name and fields[2].isdigit():
            return int(fields[2])
    raise TransferError(
        f"the container knows no group {one_line(name, limit=60)}; name one that stands in its "
        "/etc/group, or a number"
    )


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text) > len(str(_GREATEST)) or int(text) > _GREATEST:
        raise TransferError(
            f"{one_line(text, limit=40)} is no number of a user; the greatest is {_GREATEST}"
        )
    return int(text)


def _require_user(name: str, owner: str) -> None:
    if not name:
        raise TransferError(
            f"{one_line(owner, limit=60)} names no user; write USER, or USER:GROUP, such as 0:0"
        )


def _lines(text: str, *, fields: int) -> list[list[str]]:
    split = [line.split(":") for line in text.splitlines()]
    return [line for line in split if len(line) >= fields]
