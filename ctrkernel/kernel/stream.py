"""Output and errors on their way to the notebook, each under the cell that caused it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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

    def error(self, ename: str, evalue: str, traceback: list[str]) -> None:
        """Send a cell's error."""
        self._send("error", {"ename": ename, "evalue": evalue, "traceback": traceback})

    def display(self, text: str, html: str) -> None:
        """Send a result in both forms."""
        data = {"text/plain": text, "text/html": html}
        self._send("display_data", {"data": data, "metadata": {}, "transient": {}})

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        if self.silent:
            return
        kernel = self._kernel
        kernel.session.send(
            kernel.iopub_socket,
            kind,
            content,
            parent=self.parent,
            ident=f"kernel.{kernel.ident}.{kind}".encode(),
        )
