"""Whether what arrived is what was sent."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer import checksum
from ctrkernel.transfer.listing import trees_by_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.put_plan import Plan


def verify_staged(
    plan: Plan,
    stage: str,
    digests: Mapping[str, str],
    tool: str | None,
    *,
    cancelled: Callable[[], bool] | None,
) -> list[str]:
    """Compare checksums in the stage, if that was asked; return what the summary should say.

    Args:
        plan: The put.
        stage: The staging folder's path.
        digests: Of what was sent, by names below the stage.
        tool: What made them; None where the container has none.
        cancelled: Asked now and then.

    Raises:
        TransferError: They differ.
        process.Cancelled: `cancelled` said so.
    """
    if not plan.options.verify:
        return []
    if tool is None:
        return [not_verified(plan.info.name)]
    paths = {f"{stage}/{name}": name for name in digests}
    found = checksum.remote_digests(plan.engine, plan.info, tool, list(paths), cancelled=cancelled)
    if found is None:
        raise TransferError(f"{tool} cannot read what arrived in {plan.where}; nothing was changed")
    for path, name in paths.items():
        if found[path] != digests[name]:
            raise TransferError(
                f"{one_line(name)} arrived in {plan.where} with another checksum ({tool}); "
                "nothing was changed, try again"
            )
    return [f"checksums agree ({tool})"]


def verify_got(
    engine: Engine,
    info: ContainerInfo,
    digests: Mapping[str, str],
    tool: str | None,
    *,
    cancelled: Callable[[], bool] | None,
) -> list[str]:
    """Compare the checksums of what came with those in the container; say so.

    Args:
        engine: The engine.
        info: The container that it came from.
        digests: Of what came, by its path in the container.
        tool: What made them; None where the container has none.
        cancelled: Asked now and then.

    Raises:
        TransferError: They differ.
        process.Cancelled: `cancelled` said so.
    """
    if tool is None:
        return [not_verified(info.name)]
    found = checksum.remote_digests(engine, info, tool, list(digests), cancelled=cancelled)
    if found is None:
        raise TransferError(
            f"{tool} cannot read in {info.name} what came from there; nothing was changed, "
            "try again, or without --verify"
        )
    for path, digest in digests.items():
        if found[path] != digest:
            raise TransferError(
                f"{one_line(posixpath.basename(path))} has another checksum in {info.name} "
                f"({tool}): it changed, or came damaged; nothing was changed, try again"
            )
    return [f"checksums agree ({tool})"]


def verify_arrived(plan: Plan, sizes: Mapping[str, int], *, timeout: float) -> list[str]:
    """Compare sizes where the engine wrote in place; return what the summary should say.

    Args:
        plan: The put.
        sizes: Of what was sent, by names below the destination.
        timeout: Seconds in which not a byte comes.

    Raises:
        TransferError: They differ.
    """
    folder = plan.placement.folder
    tops = {posixpath.join(folder, name.partition("/")[0]) for name in sizes}
    there = trees_by_archive(plan.engine, plan.info, sorted(tops), timeout=timeout, cancelled=None)
    for name, size in sizes.items():
        path = posixpath.join(folder, name)
        found = there.get(path)
        if found is None or found.size != size:
            raise TransferError(
                f"{plan.info.name}:{one_line(path)} has not the size of what was sent; try again"
            )
    return [not_verified(plan.info.name)] if plan.options.verify else []


def not_verified(name: str) -> str:
    """Say that there are no checksums to compare."""
    tools = ", ".join(checksum.TOOLS)
    return f"checksums were not compared: {name} cannot run any of {tools}; sizes agree"
