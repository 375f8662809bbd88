"""What a cell came to: the line at its end, and what its reply's metadata say of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from ctrkernel.commands.glance import dim, moment, spoken_duration
from ctrkernel.commands.whereabouts import ANSWER_TIMEOUT, Whereabouts
from ctrkernel.errors import TargetUnclear
from ctrkernel.session.result import CommandResult, ExecResult

if TYPE_CHECKING:
    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.errors import CtrKernelError
    from ctrkernel.kernel.stream import Publisher
    from ctrkernel.session.shell import ShellSession

#: The metadata's key in an ``execute_reply``.
KEY: Final = "ctrkernel"
#: What the metadata hold of where a cell ran: all but where its shell began.
TOLD: Final = tuple(each.name for each in fields(Whereabouts) if each.name != "directory")
#: The type of an output that nothing shows and every notebook keeps.
RECORD_TYPE: Final = "application/vnd.ctrkernel.cell+json"


class Failure(Exception):
    """A cell that ended in an error.

    Args:
        ename: The error's name.
        evalue: One line.
        result: How the command ended, where one did.
    """

    def __init__(
        self, ename: str, evalue: str, result: CommandResult | ExecResult | None = None
    ) -> None:
        super().__init__(evalue)
        self.ename = ename
        self.evalue = evalue
        self.result = result

    @classmethod
    def of(cls, error: CtrKernelError) -> Failure:
        """Return the failure that an error of ours is to a notebook."""
        if isinstance(error, TargetUnclear) and error.nearest:  # a cell's: it named none itself
            error = error.to_type(f"%ctr_attach {error.nearest}")
        return cls(type(error).__name__, str(error), getattr(error, "result", None))


class Report:
    """One cell's; it is begun before the cell and closed behind it.

    Args:
        workspace: For its settings and its whereabouts.
        publisher: Shows what the settings ask for.
    """

    def __init__(self, workspace: Workspace, publisher: Publisher) -> None:
        self._workspace = workspace
        self._publisher = publisher
        self._started = time.monotonic()
        self._session: ShellSession | None = None
        self._result: CommandResult | ExecResult | None = None
        self._stamped = self._setting("timestamps") == "on"
        if self._stamped:
            self._say(moment(time.time()))

    def ran_in(self, session: ShellSession) -> None:
        """Take note of the shell that takes the cell's code."""
        self._session = session
        self._workspace.scout.ask(session)

    def came_to(self, result: CommandResult) -> None:
        """Take note of how a piece of the code ended."""
        self._result = result

    async def close(self, failure: Failure | None) -> tuple[Failure | None, dict[str, Any]]:
        """Show what is to be shown at a cell's end.

        Returns:
            What the cell's reply is to say of its failure, and the metadata.
        """
        if failure is not None and failure.result is not None:
            self._result = failure.result
        softened = (
            failure is not None
            and failure.ename == "CommandFailed"
            and self._setting("stop_on_error") == "off"
        )
        if failure is not None and softened:
            ending = self.ending(failure)
            self._say(f"{failure.evalue} · {ending}" if ending else failure.evalue)
            failure = None
        duration = time.monotonic() - self._started
        if self._stamped:
            self._say(f"{moment(time.time())} · {spoken_duration(duration)}")
        metadata = await self._metadata(duration)
        if self._setting("cell_record") == "on" and self._session is not None:
            # The empty page is for nbconvert, which warns of an output that it cannot show.
            self._publisher.display({RECORD_TYPE: metadata, "text/html": ""})
        return failure, metadata

    def ending(self, failure: Failure) -> str:
        """Return duration and directory of what failed, as the error's line ends; or nothing."""
        result = failure.result
        if result is None or self._setting("failure_line") == "off":
            return ""
        words = [spoken_duration(result.duration)]
        if isinstance(result, CommandResult):
            words.append(self._workspace.mask.hide(result.cwd))
        return " · ".join(words)

    async def _metadata(self, duration: float) -> dict[str, Any]:
        metadata: dict[str, Any] = {"duration": round(duration, 6)}
        if self._result is not None:
            metadata["exit_status"] = self._result.exit_code
        session = self._session
        if session is None:
            return metadata
        hide = self._workspace.mask.hide
        metadata["directory"] = hide(session.cwd or "/")
        metadata["shell"] = session.shell
        answer = self._workspace.scout.ask(session)
        if not answer.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    asyncio.shield(asyncio.wrap_future(answer)), timeout=ANSWER_TIMEOUT
                )
        whereabouts = answer.result() if answer.done() else None
        if whereabouts is None:
            metadata["container"] = session.container
        else:
            metadata |= {name: getattr(whereabouts, name) for name in TOLD}
        return metadata

    def _say(self, line: str) -> None:
        self._publisher.stream(f"{dim(line)}\n", name="stderr")

    def _setting(self, name: str) -> Any:
        return self._workspace.settings.known(name)
