"""The destination of a get, as it is on this machine."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.placement import Destination, Found
from ctrkernel.transfer.tree import unreadable

if TYPE_CHECKING:
    from ctrkernel.transfer.paths import TypedPath


def local_destination(typed: TypedPath) -> Destination:
    """Look at a destination on this machine.

    Raises:
        TransferError: It is a link that leads nowhere, or cannot be looked at.
    """
    real = os.path.realpath(typed.path)
    if os.path.islink(typed.path) and not os.path.lexists(real):  # noqa: PTH114 - undecodable names
        raise TransferError(
            f"{one_line(typed.shown)} is a link that leads nowhere; "
            "remove it, or name the file itself"
        )
    missing = None
    part = posixpath.dirname(real)
    while not os.path.isdir(part):  # noqa: PTH112
        missing, part = part, posixpath.dirname(part)
    if os.path.isdir(real):  # noqa: PTH112
        found = Found.FOLDER
    elif os.path.isfile(real):  # noqa: PTH113
        found = Found.FILE
    else:
        found = Found.OTHER if os.path.lexists(real) else Found.MISSING
    if found is Found.MISSING and missing is None and not os.access(part, os.X_OK):
        raise unreadable(part, PermissionError(13, "permission denied"))
    return Destination(
        shown=typed.shown,
        found=found,
        path=real,
        asserts_folder=typed.asserts_folder,
        missing=missing,
        blocked=missing is not None and os.path.lexists(missing),
        above=part,
        rest=os.path.relpath(real, part),
    )
