"""As whom a put acts: who owns what arrives, and whether the shell's user may write there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.owner import needs_user_files, owner_of

if TYPE_CHECKING:
    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.options import Options
    from ctrkernel.transfer.probe import Probe

#: Seconds for asking whether a folder can be written.
ASK_TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Party:
    """Who puts.

    Args:
        owner: Uid and gid of what arrives; None keeps what the files have.
        user: For ``--user`` of an exec that acts as the shell does; None is the container's own.
        bound: Only what this user may write is written. Who asks for another owner acts as root.
    """

    owner: tuple[int, int] | None
    user: str | None
    bound: bool


def needs_users(container: ContainerInfo, options: Options) -> bool:
    """Whether the container's user files must be read."""
    return not options.archive and needs_user_files(options.owner or container.user)


def party_of(container: ContainerInfo, probe: Probe, options: Options) -> Party:
    """Find out who puts.

    Raises:
        TransferError: The container does not know the user.
    """
    if options.archive:
        return Party(owner=None, user=container.user or "0", bound=False)
    if options.owner is not None:
        owner = owner_of(options.owner, passwd=probe.passwd, group=probe.group)
        return Party(owner=owner, user=f"{owner[0]}:{owner[1]}", bound=False)
    own = owner_of(container.user, passwd=probe.passwd, group=probe.group)
    owner = probe.ids or own
    # By its name a user keeps the groups that it is in.
    user = None if owner == own else f"{owner[0]}:{owner[1]}"
    return Party(owner=owner, user=user, bound=owner[0] != 0 and probe.by_exec)


def require_writable(engine: Engine, container: ContainerInfo, party: Party, folder: str) -> None:
    """Make sure that the shell's user may write in `folder`.

    Raises:
        TransferError: It may not.
    """
    if not party.bound:
        return
    argv = ["sh", "-c", '[ -w "$1" ] && [ -x "$1" ]', "sh", folder]
    command = engine.exec_argv(container.id, argv, user=party.user)
    if engine.run(command[1:], timeout=ASK_TIMEOUT).exit_code:
        who = container.user if party.user is None else party.user
        raise TransferError(
            f"{one_line(who)} may not write in {container.name}:{one_line(folder)}; "
            "name a folder that it may, or add --owner root to write as root"
        )
