"""One cell on its way: its commands, in their order, then its shell code."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ctrkernel.commands import registry
from ctrkernel.commands.cell import SHELL
from ctrkernel.commands.context import Context, Interrupts
from ctrkernel.errors import CommandInterrupted, CtrKernelError, ShellExited
from ctrkernel.kernel.deadline import ended
from ctrkernel.kernel.frontend import KernelFrontend
from ctrkernel.kernel.report import Failure, Report
from ctrkernel.protocol.conversation import has_command
from ctrkernel.session.attendant import FIRST_LOOK, attend

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ctrkernel.commands.cell import Cell, CommandLine
    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.kernel.question import Asker, Questions
    from ctrkernel.kernel.stderr import Stderr
    from ctrkernel.kernel.stream import Publisher
    from ctrkernel.session.execution import Execution
    from ctrkernel.session.shell import ShellSession


@dataclass(frozen=True, slots=True)
class Services:
    """What all cells of a kernel share.

    Attributes:
        workspace: What they work in.
        questions: Asks the person.
        errors: Keeps stderr as it is set.
        threads: Where commands work.
    """

    workspace: Workspace
    questions: Questions
    errors: Stderr
    threads: Executor


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cell came to.

    Attributes:
        failure: What its reply is to say of it; None where it is ``ok``.
        ending: How the error's line ends.
        metadata: Its reply's.
    """

    failure: Failure | None
    ending: str
    metadata: dict[str, Any]


class CellRun:
    """Runs one cell, and is interrupted with it; in the kernel's loop.

    Args:
        services: The kernel's.
        publisher: Shows what the cell prints.
        asker: Whom the cell may ask.
    """

    def __init__(self, services: Services, publisher: Publisher, asker: Asker) -> None:
        self._services = services
        self._workspace = services.workspace
        self._publisher = publisher
        self._asker = asker
        self._interrupts = Interrupts()
        self._running: tuple[ShellSession, Execution] | None = None

    async def run(self, cell: Cell) -> Outcome:
        """Do it."""
        report = Report(self._workspace, self._publisher)
        failure = None
        try:
            try:
                await self._cell(cell, report)
            finally:
                self._services.errors.tidy(self._workspace)
        except Failure as failed:
            failure = failed
        except CtrKernelError as error:
            failure = Failure.of(error)
        failure, metadata = await report.close(failure)
        return Outcome(failure, report.ending(failure) if failure is not None else "", metadata)

    def interrupt(self) -> None:
        """Interrupt what runs of it, and what is still to run."""
        self._interrupts.interrupt()
        running = self._running
        if running is not None:
            running[0].interrupt()

    async def _cell(self, cell: Cell, report: Report) -> None:
        for command in cell.commands:
            if command.name == SHELL and command.body is None and command.words[:1] != "-":
                await self._shell(command.words, report)
            else:
                await self._command(command)
        if cell.shell is not None and has_command(cell.shell):
            await self._shell(cell.shell, report)

    async def _command(self, line: CommandLine) -> None:
        publisher, interrupts, questions = (
            self._publisher,
            self._interrupts,
            self._services.questions,
        )
        command = registry.find(line.name)
        if line.name == SHELL:
            self._workspace.settings.check()
        ask = partial(questions.ask, self._asker)
        ask_hidden = partial(questions.ask_hidden, self._asker, cancelled=interrupts.is_set)
        frontend = KernelFrontend(publisher, ask, ask_hidden)
        context = Context(self._workspace, frontend, interrupts, line.body)
        try:
            output = await asyncio.get_running_loop().run_in_executor(
                self._services.threads, command.run, line.words, context
            )
        except CommandInterrupted as error:
            raise Failure("KeyboardInterrupt", str(error)) from error
        except CtrKernelError as error:
            raise self._interrupted_or(error) from error
        if output.rich:
            publisher.display(output.bundle)
        elif output.text:
            publisher.stream(output.text)
        if interrupts.is_set():
            raise Failure(
                "KeyboardInterrupt", f"%{line.name} was done before the interrupt reached it"
            )

    async def _shell(self, code: str, report: Report) -> None:
        # What is set wrongly is told before the code runs.
        settings, errors = self._workspace.settings, self._services.errors
        settings.check()
        session = await self._ready()
        await errors.prepare(self._workspace, session, code)
        try:
            execution = session.submit(code, on_output=self._publisher.stream)
        except ShellExited:
            # It ended since it was last seen, before it was given anything: a new one takes it.
            session = await self._ready()
            await errors.prepare(self._workspace, session, code)
            execution = session.submit(code, on_output=self._publisher.stream)
        self._running = session, execution
        report.ran_in(session)
        ask = partial(self._services.questions.ask, self._asker) if self._asker.allowed else None
        attending = asyncio.get_running_loop().call_later(
            FIRST_LOOK, attend, session, execution, ask, self._publisher.notice
        )
        try:
            result = await ended(session, execution, limit=settings.known("timeout"))
        except ShellExited as error:
            if execution.lost and not execution.interrupts:
                # The shell was on its way out; the code has not run, so a new one takes it.
                await self._shell(code, report)
                return
            await errors.settle()
            raise Failure.of(error) from error
        finally:
            attending.cancel()
            self._running = None
        await errors.settle()
        report.came_to(result)
        if execution.interrupts:
            raise Failure("KeyboardInterrupt", f"exit status {result.exit_code}", result)
        if not result.ok:
            raise Failure("CommandFailed", f"exit status {result.exit_code}", result)

    async def _ready(self) -> ShellSession:
        present = self._workspace.session
        if present is not None and present.at_prompt:
            return present
        try:
            session, notice = await asyncio.get_running_loop().run_in_executor(
                self._services.threads, self._workspace.ready
            )
        except CtrKernelError as error:
            raise self._interrupted_or(error) from error
        if notice:
            self._publisher.notice(notice)
        if self._interrupts.is_set():
            raise Failure("KeyboardInterrupt", "interrupted before the cell began")
        return session

    def _interrupted_or(self, error: CtrKernelError) -> Exception:
        """Return what ends the cell whose work stopped with `error`: an interrupt, if it was."""
        return Failure("KeyboardInterrupt", str(error)) if self._interrupts.is_set() else error
