"""Which container a person means by a word: a name, the beginning of an id, a compose service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ctrkernel.errors import ContainerAmbiguous, ContainerNotFound, name_list, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine

#: A container's name or id (Docker's ``RestrictedNamePattern``); a leading ``-`` is never one.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
#: A compose service within its project.
_SERVICE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*/[a-zA-Z0-9][a-zA-Z0-9_.-]*")
#: Characters of an id that the engines show.
_SHORT_ID = 12


def is_name(target: str) -> bool:
    """Whether `target` can be a container's name or id."""
    return bool(_NAME.fullmatch(target))


def check_target(target: str) -> str:
    """Return `target` if it can be a container's name or id.

    Raises:
        ContainerNotFound: It cannot: a leading ``-`` would be read as an option.
    """
    if not is_name(target):
        raise ContainerNotFound(
            f"'{one_line(target, limit=80)}' cannot be a container's name; "
            "`docker ps` lists the names"
        )
    return target


def meant(engine: Engine, target: str) -> ContainerInfo:
    """Return the one container that `target` means, which is the name of none.

    Raises:
        ContainerNotFound: It means none.
        ContainerAmbiguous: Several ids begin so, or the service has several containers.
        EngineUnreachable: The daemon does not answer.
    """
    if not is_name(target) and not _SERVICE.fullmatch(target):
        raise _not_found(engine, target)
    every = engine.containers(all=True)
    same = [info for info in every if info.id.startswith(target)]
    if len(same) > 1:
        shown = name_list([f"{info.name} ({info.id[:_SHORT_ID]})" for info in same])
        raise ContainerAmbiguous(
            f"several containers have an id that begins with {target}: {shown}",
            asked=target,
            nearest=same[0].name,
        )
    # One that was stopped is of the service too, but is meant only if none runs.
    served = [info for info in every if _serves(info, target)]
    running = [info for info in served if info.running] or served
    if len(running) > 1:
        raise ContainerAmbiguous(
            f"several containers are of the compose service {target}: "
            f"{name_list([info.name for info in running])}",
            asked=target,
            nearest=running[0].name,
        )
    if not running:
        raise _not_found(engine, target)
    return running[0]


def _serves(info: ContainerInfo, target: str) -> bool:
    """Whether `info` is a container of the compose service `target`, its project named or not."""
    if info.compose is None:
        return False
    project, service = info.compose
    return target in (service, f"{project}/{service}")


def _not_found(engine: Engine, target: str) -> ContainerNotFound:
    shown = one_line(target, limit=80)
    every = engine.containers(all=True)
    names = [info.name for info in every if info.running]
    if not names:
        return ContainerNotFound(
            f"no container '{shown}', and none is running; start one: "
            f"`{engine.name} run -d --name box debian sleep infinity`"
        )
    return ContainerNotFound(
        f"no container '{shown}'; running: {name_list(names)}",
        asked=target,
        nearest=_closest(target, names),
        nearest_any=_closest(target, [info.name for info in every]),
    )


def _closest(target: str, names: Sequence[str]) -> str:
    import difflib  # noqa: PLC0415 - only on the way to an error, not on the way to a shell

    return next(iter(difflib.get_close_matches(target, names, n=1, cutoff=0.0)), names[0])
