"""Output and errors on their way to the notebook, each under the cell that caused it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Publisher:
    """Sends iopub messages for one kernel, from any thread.

    Args:
        kernel: The kernel, for its session and socket.
    """

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self.parent: Mapping[str, Any] = {}
        self.silent = False

    def stream(self, text: str, *, name: str = "stdout") -> None:
        """Send text, as it is."""
        self._send("stream", {"name": name, "text": text})

    def late(self, text: str) -> None:
        """Send output of no running cell, under the last one that shows, silent ones or not."""
        self._send("stream", {"name": "stdout", "text": text}, always=True)

    def notice(self, line: str) -> None:
        """Send a line of our own."""
        self._send("stream", {"name": "stderr", "text": f"ctrkernel: {line}\n"}, always=True)

    def error(self, ename: str, evalue: str, traceback: list[str]) -> None:
        """Send a cell's error."""
        self._send("error", {"ename": ename, "evalue": evalue, "traceback": traceback})

    def display(self, bundle: Mapping[str, Any]) -> None:
        """Send a result in several forms, by MIME type."""
        self._send("display_data", {"data": dict(bundle), "metadata": {}, "transient": {}})

    def _send(self, kind: str, content: dict[str, Any], *, always: bool = False) -> None:
        if self.silent and not always:
            return
        kernel = self._kernel
        kernel.session.send(
            kernel.iopub_socket,
            kind,
            content,
            parent=self.parent,
            ident=f"kernel.{kernel.ident}.{kind}".encode(),
        )
