"""Who shall own what is put: the numbers behind a container's user."""

from __future__ import annotations

import grp
import pwd

from ctrkernel.errors import TransferError, one_line


def needs_user_files(user: str) -> bool:
    """Whether the container's own user files must be read to know the numbers of `user`."""
    name, _, group = user.partition(":")
    return bool(user) and not (name.isdigit() and group.isdigit())


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
    try:
        if name.isdigit():
            uid, gid = int(name), -1
        else:
            entry = pwd.getpwnam(name)
            uid, gid = entry.pw_uid, entry.pw_gid
        if group_name:
            gid = int(group_name) if group_name.isdigit() else grp.getgrnam(group_name).gr_gid
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
    at = 2 if name.isdigit() else 0
    for fields in _lines(passwd, fields=4):
        if fields[at] == name and fields[2].isdigit() and fields[3].isdigit():
            return int(fields[2]), int(fields[3])
    if name.isdigit():
        return int(name), 0  # the engine's default for a uid without an entry
    raise TransferError(
        f"the container knows no user {one_line(name, limit=60)}; name one that stands in its "
        "/etc/passwd, or a number"
    )


def _group(name: str, group: str) -> int:
    if name.isdigit():
        return int(name)
    for fields in _lines(group, fields=3):
        if fields[0] == name and fields[2].isdigit():
            return int(fields[2])
    raise TransferError(
        f"the container knows no group {one_line(name, limit=60)}; name one that stands in its "
        "/etc/group, or a number"
    )


def _lines(text: str, *, fields: int) -> list[list[str]]:
    split = [line.split(":") for line in text.splitlines()]
    return [line for line in split if len(line) >= fields]
