"""Run a notebook through its kernel and show it in the terminal, as it runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

#: For one cell. The quickstart's slowest takes a few seconds.
CELL_SECONDS = 120

_BOLD, _CYAN, _DIM, _RED, _PLAIN = "\x1b[1m", "\x1b[36m", "\x1b[2m", "\x1b[31m", "\x1b[0m"


class ShownClient(NotebookClient):
    """A client that prints each output when it comes, not when the notebook is done."""

    _at_line_start = True

    def output(
        self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> Any:
        """Print what a message carries; nbclient calls this for every output."""
        out = super().output(outs, msg, display_id, cell_index)
        content = msg["content"]
        if msg["msg_type"] == "stream":
            self._show(content["text"])
        elif msg["msg_type"] == "error":
            self._show(paint(_RED, f"{content['ename']}: {content['evalue']}") + "\n")
        elif "text/plain" in content.get("data", {}):
            self._show(content["data"]["text/plain"].rstrip("\n") + "\n")
        return out

    def end_line(self) -> None:
        """Begin a new line unless the last output ended its own."""
        if not self._at_line_start:
            self._show("\n")

    def _show(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
        self._at_line_start = text.endswith("\n")


def main() -> int:
    """Run the notebook that is named on the command line; 1 where a cell fails unexpectedly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    path = parser.parse_args().notebook
    if not path.is_file():
        print(f"ctrkernel: {path} is not there; name a notebook", file=sys.stderr)
        return 1
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(path.parent)}}
    # Over TCP ipykernel warns, among the outputs, that anyone on the machine may listen.
    config = Config({"KernelManager": {"transport": "ipc"}})
    client = ShownClient(notebook, timeout=CELL_SECONDS, resources=resources, config=config)
    with client.setup_kernel():
        try:
            for index, cell in enumerate(notebook.cells):
                show_source(cell)
                client.execute_cell(cell, index)
                client.end_line()
        except CellExecutionError:
            client.end_line()
            print(f"ctrkernel: {path}: this cell failed; see its output above", file=sys.stderr)
            return 1
    return 0


def show_source(cell: Any) -> None:
    """Print a cell as a person would read it, before it runs."""
    print()
    if cell.cell_type == "markdown":
        print(paint(_BOLD, cell.source))
    elif cell.cell_type == "code":
        for line in cell.source.splitlines():
            print(paint(_CYAN, "▌ ") + line)
        print(paint(_DIM, "─" * 40))
    sys.stdout.flush()


def paint(style: str, text: str) -> str:
    """Style text for a terminal; leave it plain for a file."""
    return f"{style}{text}{_PLAIN}" if sys.stdout.isatty() else text


if __name__ == "__main__":
    sys.exit(main())
