"""A cell's code, and the time that it has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ctrkernel.errors import CommandTimedOut

if TYPE_CHECKING:
    from ctrkernel.session.execution import Execution
    from ctrkernel.session.result import CommandResult
    from ctrkernel.session.shell import ShellSession


async def ended(
    session: ShellSession, execution: Execution, *, limit: float | None
) -> CommandResult:
    """Wait for the end of a cell's code.

    Args:
        session: Its shell.
        execution: The code.
        limit: Seconds after which it is interrupted, ever harder; None for none. Whoever has
            interrupted it already waits for the end of that.

    Raises:
        CommandTimedOut: The time was up.
        ShellExited: The shell ended.
    """
    future = asyncio.wrap_future(execution.future)
    if limit is None:
        return await future
    done, _ = await asyncio.wait([future], timeout=limit)
    if done or execution.interrupts:
        return await future
    result = await asyncio.to_thread(session.stop, execution)
    raise CommandTimedOut(f"timed out after {limit:g} s", result)
