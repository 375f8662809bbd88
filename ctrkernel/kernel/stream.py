"""Output and errors on their way to the notebook, each under the cell that caused it."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ctrkernel.commands.inline import rendered
from ctrkernel.commands.overflow import OverflowFile
from ctrkernel.kernel.outlet import Outlet
from ctrkernel.output.flow import Flow
from ctrkernel.output.size import encoded_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ctrkernel.commands.workspace import Workspace


class Publisher:
    """Sends iopub messages for one cell after another, from any thread.

    Args:
        kernel: The kernel, for its session and socket.
        outlet: The way out that it shares with others; None for one of its own.
    """

    def __init__(self, kernel: Any, outlet: Outlet | None = None) -> None:
        self._outlet = outlet or Outlet(kernel)
        self._workspace: Workspace | None = None
        self.parent: Mapping[str, Any] = {}
        self.silent = False
        #: The running cell's output, and that of no running cell.
        self._cell: Flow | None = None
        self._late: Flow | None = None
        #: Those of them that were written on a stderr of its own.
        self._errors: Flow | None = None
        self._errors_lock = threading.Lock()

    def use(self, workspace: Workspace) -> None:
        """Shape output as is set in `workspace`: within its limit, final at the cell's end."""
        self._workspace = workspace

    def begin(self, parent: Mapping[str, Any], *, silent: bool) -> None:
        """Begin a cell, which the message `parent` asked for."""
        self.silent = silent
        if silent:
            return
        self._end_errors()
        if self._late is not None:
            self._late.finish()
            self._late = None
        self.parent = parent
        self._cell = self._flow(retract=True)

    def hurry(self) -> None:
        """The cell was interrupted: show its end soon; it never waits."""
        if self._cell is not None:
            self._cell.hurry()

    def end(self) -> None:
        """End the cell; it is shown in its final form."""
        self._end_errors()
        cell, self._cell = self._cell, None
        if cell is not None:
            cell.finish()

    async def drained(self) -> None:
        """Wait until all has been sent."""
        await self._outlet.drained()

    def stream(self, text: str, *, name: str = "stdout") -> None:
        """Send text of the running cell."""
        if self.silent:
            return
        if name == "stdout" and self._cell is not None:
            self._cell.write(text)
        else:
            self._insert("stream", {"name": name, "text": text}, size=encoded_size(text))

    def stderr(self, text: str) -> None:
        """Send what was written on a stderr of its own, within the limit that stdout has."""
        if self.silent:
            return
        with self._errors_lock:
            if self._errors is None:
                self._errors = self._flow(retract=False, errors=True)
            errors = self._errors
        if errors is not None:
            errors.write(text)

    def _end_errors(self) -> None:
        with self._errors_lock:
            errors, self._errors = self._errors, None
        if errors is not None:
            errors.finish()

    def late(self, text: str) -> None:
        """Send output of no running cell, under the last one that shows, silent ones or not."""
        cell = self._cell
        if cell is not None:
            cell.write(text)
            return
        if self._late is None:
            # What is there is the last cell's, and stays.
            self._late = self._flow(retract=False)
        if self._late is not None:
            self._late.write(text)
        else:
            self._send("stream", {"name": "stdout", "text": text})

    def notice(self, line: str) -> None:
        """Send a line of our own."""
        text = f"ctrkernel: {line}\n"
        self._insert("stream", {"name": "stderr", "text": text}, size=encoded_size(text))

    def error(self, ename: str, evalue: str, traceback: list[str]) -> None:
        """Send a cell's error, after all that it printed."""
        self.end()
        if not self.silent:
            self._send("error", {"ename": ename, "evalue": evalue, "traceback": traceback})

    def display(self, bundle: Mapping[str, Any]) -> None:
        """Send a result in several forms, by MIME type."""
        if self.silent:
            return
        content = {"data": dict(bundle), "metadata": {}, "transient": {}}
        size = sum(encoded_size(str(form)) for form in bundle.values())
        self._insert("display_data", content, size=size)

    def _insert(self, kind: str, content: Mapping[str, Any], *, size: int) -> None:
        flow = self._cell or self._late
        if flow is not None:
            flow.insert(kind, content, size=size)
        else:
            self._send(kind, content)

    def _flow(self, *, retract: bool, errors: bool = False) -> Flow | None:
        workspace = self._workspace
        if workspace is None:
            return None
        settings, session = workspace.settings, workspace.session
        self._outlet.paced = settings.output_limit is not None
        return Flow(
            _ErrorsView(self._outlet, self._insert)
            if errors
            else _CellView(self._outlet, self.parent),
            limit=lambda: settings.output_limit,
            keep=OverflowFile(workspace.overflow_folder),
            render=partial(rendered, settings, workspace.mask),
            # Front ends know carriage returns; a picture could not be of stderr.
            wake=self._outlet.call_later if self._outlet.timed and not errors else None,
            retract=retract,
            size=(session.columns, session.rows) if session is not None else (120, 40),
        )

    def _send(self, kind: str, content: Mapping[str, Any]) -> None:
        self._outlet.send(kind, content, self.parent)


class _CellView:
    """Where one cell's output is shown.

    Args:
        outlet: The way out.
        parent: The message that asked for the cell.
    """

    def __init__(self, outlet: Outlet, parent: Mapping[str, Any]) -> None:
        self._outlet = outlet
        self._parent = parent

    @property
    def behind(self) -> bool:
        """Whether messages wait."""
        return self._outlet.behind

    def stream(self, text: str) -> None:
        """Show text as it is."""
        self._outlet.send("stream", {"name": "stdout", "text": text}, self._parent)

    def send(self, kind: str, content: Mapping[str, Any]) -> None:
        """Send a message."""
        self._outlet.send(kind, content, self._parent)


class _ErrorsView:
    """Where stderr is shown: among the rest, in the order of arrival.

    Args:
        outlet: The way out.
        insert: Sends a message among the output of the running cell, or behind it.
    """

    def __init__(self, outlet: Outlet, insert: Callable[..., None]) -> None:
        self._outlet = outlet
        self._insert = insert

    @property
    def behind(self) -> bool:
        """Whether messages wait."""
        return self._outlet.behind

    def stream(self, text: str) -> None:
        """Show text as it is."""
        self._insert("stream", {"name": "stderr", "text": text}, size=encoded_size(text))

    def send(self, kind: str, content: Mapping[str, Any]) -> None:
        """Send a message."""
        self._insert(kind, content, size=encoded_size(str(content)))
