"""The kernel: Jupyter's messages on one side, a workspace on the other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ipykernel.kernelbase import Kernel

from ctrkernel.commands import registry
from ctrkernel.commands.cell import split_cell
from ctrkernel.commands.glance import dim
from ctrkernel.errors import CtrKernelError
from ctrkernel.kernel.cell_run import CellRun, Services
from ctrkernel.kernel.history import History, Search, history_path
from ctrkernel.kernel.meanwhile import answer_meanwhile
from ctrkernel.kernel.outlet import Outlet
from ctrkernel.kernel.question import Asker, Questions
from ctrkernel.kernel.report import KEY
from ctrkernel.kernel.stderr import Stderr
from ctrkernel.kernel.stream import Publisher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ctrkernel.commands.cell import Cell
    from ctrkernel.commands.completion import Completer
    from ctrkernel.commands.inspection import Inspector
    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.kernel.report import Failure

#: A cell's reply, as execute_reply carries it.
Reply = dict[str, Any]


class ContainerShellKernel(Kernel):
    """Runs cells in a shell in a container."""

    implementation = "ctrkernel"
    implementation_version = version("ctrkernel")
    title = f"ctrkernel {implementation_version}: every cell runs in one shell in a container"
    language_info: dict[str, Any] = {  # noqa: RUF012 - the base class has it as an instance's
        "name": "bash",
        "mimetype": "text/x-sh",
        "file_extension": ".sh",
        "pygments_lexer": "bash",
        "codemirror_mode": "shell",
    }
    # The base class sleeps so that Python's stdout can drain; our output does not go that way.
    _execute_sleep = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._outlet = Outlet(self)
        self._publisher = Publisher(self, self._outlet)
        self._questions = Questions(self)
        self._errors = Stderr(self._publisher)
        self._services: Services | None = None
        self._history: History | None = None
        # Cells of a subshell wait here for their turn: there is one terminal.
        self._turn = threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="ctrkernel-command")
        #: The cell whose turn it is, or was; and those that run beside it.
        self._run: CellRun | None = None
        self._asides: list[CellRun] = []
        self._completer: Completer | None = None
        self._inspector: Inspector | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        #: What replies are about to tell.
        self._metadata: dict[str, dict[str, Any]] = {}

    def use(self, workspace: Workspace) -> None:
        """Work in `workspace`; called once, before the first message."""
        self._publisher.use(workspace)
        self._services = Services(workspace, self._questions, self._errors, self._threads)
        workspace.on_late = self._publisher.late
        workspace.on_notice = self._publisher.notice
        self._history = History(
            history_path(os.environ), mask=workspace.mask, on_trouble=self._publisher.notice
        )

    @property
    def workspace(self) -> Workspace:
        """What cells and commands work in."""
        return self.services.workspace

    @property
    def services(self) -> Services:
        """What cells share."""
        assert self._services is not None
        return self._services

    @property
    def kernel_info(self) -> dict[str, Any]:
        """As the base class has it, less the debugger, which a shell has not."""
        features = ["kernel subshells"] if self._supports_kernel_subshells else []
        return {
            "protocol_version": "5.5" if features else "5.4",
            "implementation": self.implementation,
            "implementation_version": self.implementation_version,
            "language_info": self.language_info,
            "banner": f"{self.title}\n{self.workspace.here}",
            "help_links": self.help_links,
            "supported_features": features,
        }

    # What ipykernel calls

    def pre_handler_hook(self) -> None:
        """Leave SIGINT as the application set it."""

    def post_handler_hook(self) -> None:
        """Leave SIGINT as the application set it."""

    def start(self) -> None:
        """Note the loop that cells run in; called once, by the application."""
        super().start()  # type: ignore[no-untyped-call]
        self._loop = getattr(self.io_loop, "asyncio_loop", None)
        if self._loop is not None:
            self._outlet.run_in(self._loop)

    async def shell_main(self, subshell_id: str | None, msg: Any) -> None:
        """Take a message of the shell channel: questions while a cell runs, too."""
        if not await answer_meanwhile(self, subshell_id, msg):
            await super().shell_main(subshell_id, msg)

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: dict[str, Any] | None = None,  # noqa: ARG002 - the name is Jupyter's
        allow_stdin: bool = False,
        *,
        cell_meta: dict[str, Any] | None = None,  # noqa: ARG002
        cell_id: str | None = None,  # noqa: ARG002
    ) -> Reply:
        """Run a cell and return the reply's content; called for each execute_request."""
        parent = self.get_parent("shell")  # type: ignore[no-untyped-call]
        ident = self._get_shell_context_var(self._shell_parent_ident)
        asker = Asker(parent, ident, allow_stdin and not silent)
        cell = split_cell(code)
        if cell.asks and cell.commands[0].name in registry.COMMANDS:
            self._remember(code, store_history=store_history and not silent)
            return self._page(registry.find(cell.commands[0].name).help())
        if _needs_no_turn(cell):
            self._remember(code, store_history=store_history and not silent)
            return await self._aside(cell, asker, silent=silent)
        if not self._turn.acquire(blocking=False):
            await asyncio.get_running_loop().run_in_executor(None, self._turn.acquire)
        try:
            self._publisher.begin(parent, silent=silent)
            self._remember(code, store_history=store_history and not silent)
            self._run = CellRun(self.services, self._publisher, asker)
            return await self._replied(self._run, cell, asker, self._publisher)
        finally:
            self._publisher.end()
            self._publisher.silent = False
            self._turn.release()
            await self._publisher.drained()

    async def _aside(self, cell: Cell, asker: Asker, *, silent: bool) -> Reply:
        """Run a cell of commands that may come while another one runs, as in a subshell."""
        publisher = Publisher(self, self._outlet)
        publisher.use(self.workspace)
        publisher.begin(asker.parent, silent=silent)
        run = CellRun(self.services, publisher, asker)
        self._asides.append(run)
        try:
            return await self._replied(run, cell, asker, publisher)
        finally:
            publisher.end()
            self._asides.remove(run)
            await publisher.drained()

    async def _replied(self, run: CellRun, cell: Cell, asker: Asker, publisher: Publisher) -> Reply:
        """Do a cell's work and return the reply's content."""
        outcome = await run.run(cell)
        self._metadata[asker.parent["header"]["msg_id"]] = outcome.metadata
        if outcome.failure is None:
            return self._ok_reply()
        return self._error_reply(outcome.failure, outcome.ending, publisher)

    def finish_metadata(
        self, parent: Mapping[str, Any], metadata: dict[str, Any], reply_content: Reply
    ) -> dict[str, Any]:
        """Say what the cell came to and where it ran; called for each reply."""
        metadata = super().finish_metadata(parent, metadata, reply_content)  # type: ignore[no-untyped-call]
        known = self._metadata.pop(parent["header"]["msg_id"], None)
        return metadata if known is None else {**metadata, KEY: known}

    def _remember(self, code: str, *, store_history: bool) -> None:
        kept = store_history and self.workspace.settings.known("history") == "on"
        if kept and self._history is not None:
            self._history.add(code, number=self.execution_count, target=self.workspace.target)

    async def do_complete(self, code: str, cursor_pos: int) -> dict[str, Any]:
        """Complete commands, such as ``%ctr_attach``, and shell code; called for a request."""
        if self._completer is None:
            from ctrkernel.commands.completion import Completer  # noqa: PLC0415 - a fast start

            self._completer = Completer(self.workspace, turn=self._turn, of_shell=True)
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._completer.complete, code, cursor_pos
        )
        start, candidates = (found.start, found.candidates) if found else (cursor_pos, ())
        types = [
            {"start": start, "end": cursor_pos, "text": each.text, "type": each.kind}
            for each in candidates
        ]
        return {
            "status": "ok",
            "matches": [each.text for each in candidates],
            "cursor_start": start,
            "cursor_end": cursor_pos,
            "metadata": {"_jupyter_types_experimental": types},
        }

    async def do_inspect(
        self,
        code: str,
        cursor_pos: int,
        detail_level: int = 0,  # noqa: ARG002 - the interface is Jupyter's
        omit_sections: Iterable[str] = (),  # noqa: ARG002 - the interface is Jupyter's
    ) -> dict[str, Any]:
        """Say what stands at the cursor; called for each inspect_request.

        Front ends choose the level of detail by themselves, so no level runs a program.
        """
        if self._inspector is None:
            from ctrkernel.commands.inspection import Inspector  # noqa: PLC0415 - a fast start

            self._inspector = Inspector(self.workspace, turn=self._turn)
        look = partial(self._inspector.inspect, code, cursor_pos)
        text = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        data = {"text/plain": text} if text else {}
        return {"status": "ok", "found": bool(text), "data": data, "metadata": {}}

    async def do_is_complete(self, code: str) -> dict[str, Any]:
        """Tell whether a cell is whole; called for each is_complete_request."""
        from ctrkernel.commands.completeness import completeness  # noqa: PLC0415 - a fast start

        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, completeness, code, self.workspace
        )
        indent = {} if found.indent is None else {"indent": found.indent}
        return {"status": found.verdict.value, **indent}

    async def do_history(  # noqa: PLR0917 - the interface is Jupyter's
        self,
        hist_access_type: str,
        output: bool,
        raw: bool,  # noqa: ARG002 - a cell is kept as it was typed, and never otherwise
        session: int | None = None,
        start: int | None = None,
        stop: int | None = None,
        n: int | None = None,
        pattern: str | None = None,
        unique: bool = False,
    ) -> dict[str, Any]:
        """Return cells that were run on this target; called for each history_request."""
        if self._history is None:
            return {"status": "ok", "history": []}
        search = Search(
            hist_access_type, session or 0, start or 0, stop, n=n, pattern=pattern, unique=unique
        )
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self._history.find, search, target=self.workspace.target)
        )
        # Whoever asks edits lines, and will ask whether they are whole.
        shell = self.workspace.session
        if shell is not None and shell.at_prompt:
            with contextlib.suppress(CtrKernelError):
                shell.side.prepare()
        # A shell has no results, so there is no output to give.
        history = [(kernel, line, (code, None) if output else code) for kernel, line, code in found]
        return {"status": "ok", "history": history}

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        """End the shell and what it started; called for shutdown_request, restarts included."""
        self.interrupted()
        await asyncio.get_running_loop().run_in_executor(None, self._errors.close)
        await asyncio.get_running_loop().run_in_executor(None, self.workspace.close)
        if self._history is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._history.close)
        return {"status": "ok", "restart": restart}

    async def interrupt_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """Interrupt the running cell; called for a message on the control channel."""
        self.interrupted()
        if self.session is not None:
            self.session.send(stream, "interrupt_reply", {"status": "ok"}, parent, ident=ident)

    def interrupted(self) -> None:
        """Interrupt whatever runs; called by a signal handler too, so the loop does the work."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._interrupt)

    def _interrupt(self) -> None:
        self._publisher.hurry()
        for run in (self._run, *self._asides):
            if run is not None:
                run.interrupt()
        self.workspace.abandon()

    # Replies

    def _ok_reply(self) -> Reply:
        return {
            "status": "ok",
            "execution_count": self.execution_count,
            "payload": [],
            "user_expressions": {},
        }

    def _page(self, text: str) -> Reply:
        page = {"source": "page", "data": {"text/plain": text}, "start": 0}
        return {**self._ok_reply(), "payload": [page]}

    def _error_reply(self, failure: Failure, ending: str, publisher: Publisher) -> Reply:
        ename, evalue = failure.ename, failure.evalue
        traceback = [f"\x1b[31m{ename}\x1b[0m: {evalue}" + (dim(f" · {ending}") if ending else "")]
        publisher.error(ename, evalue, traceback)
        return {
            "status": "error",
            "execution_count": self.execution_count,
            "ename": ename,
            "evalue": evalue,
            "traceback": traceback,
            "payload": [],
            "user_expressions": {},
        }


def _needs_no_turn(cell: Cell) -> bool:
    return (
        bool(cell.commands)
        and cell.shell is None
        and all(
            command.name in registry.COMMANDS and not registry.find(command.name).takes_turn
            for command in cell.commands
        )
    )
