"""Whether what arrived is what was sent."""

from __future__ import annotations

import posixpath
import stat
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer import checksum
from ctrkernel.transfer.listing import trees_by_archive

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.transfer.extract import Extractor
    from ctrkernel.transfer.get import Plan as GetPlan
    from ctrkernel.transfer.pack import Packer
    from ctrkernel.transfer.put import Plan


def verify_staged(
    plan: Plan,
    stage: str,
    packer: Packer,
    tool: str | None,
    *,
    cancelled: Callable[[], bool] | None,
) -> list[str]:
    """Compare checksums in the stage, if that was asked; return what the summary should say.

    Raises:
        TransferError: They differ.
        process.Cancelled: `cancelled` said so.
    """
    if not plan.options.verify:
        return []
    if tool is None:
        return [not_verified(plan.info.name)]
    paths = {f"{stage}/{name}": name for name in packer.digests}
    found = checksum.remote_digests(plan.engine, plan.info, tool, list(paths), cancelled=cancelled)
    if found is None:
        raise TransferError(f"{tool} cannot read what arrived in {plan.where}; nothing was changed")
    for path, name in paths.items():
        if found[path] != packer.digests[name]:
            raise TransferError(
                f"{one_line(name)} arrived in {plan.where} with another checksum ({tool}); "
                "nothing was changed, try again"
            )
    return [f"checksums agree ({tool})"]


def verify_got(
    plan: GetPlan,
    extractor: Extractor,
    tool: str | None,
    *,
    cancelled: Callable[[], bool] | None,
) -> list[str]:
    """Compare the checksums of what came with those in the container; say so.

    Raises:
        TransferError: They differ.
        process.Cancelled: `cancelled` said so.
    """
    if tool is None:
        return [not_verified(plan.info.name)]
    paths = {}
    for origin, name in zip(plan.origins, plan.placement.names, strict=True):
        begin = () if name is None else tuple(name.split("/"))
        for parts in extractor.digests:
            if parts[: len(begin)] == begin:
                paths[posixpath.join(origin.path, *parts[len(begin) :])] = parts
    found = checksum.remote_digests(plan.engine, plan.info, tool, list(paths), cancelled=cancelled)
    for path, parts in paths.items():
        if found is None or found[path] != extractor.digests[parts]:
            raise TransferError(
                f"{one_line('/'.join(parts))} has another checksum in {plan.info.name} ({tool}): "
                "it changed, or came damaged; nothing was changed here, try again"
            )
    return [f"checksums agree ({tool})"]


def verify_arrived(plan: Plan, packer: Packer, *, timeout: float) -> list[str]:
    """Compare sizes where the engine wrote in place; return what the summary should say.

    Raises:
        TransferError: They differ.
    """
    folder = plan.placement.folder
    sizes = {
        posixpath.join(folder, found.name): found.status.st_size
        for found in packer.walk()
        if stat.S_ISREG(found.status.st_mode) and found.status.st_nlink == 1
    }
    tops = {
        posixpath.join(folder, path[len(folder.rstrip("/")) + 1 :].partition("/")[0])
        for path in sizes
    }
    there = trees_by_archive(plan.engine, plan.info, sorted(tops), timeout=timeout, cancelled=None)
    for path, size in sizes.items():
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
