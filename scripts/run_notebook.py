"""Run a notebook through its kernel and show it in the terminal, as it runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

#: What the kernel's process prints.
LOG = Path(__file__).resolve().parents[1] / "var" / "log" / "kernel.log"

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
        return fail(f"{path} is not there; name a notebook")
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(path.parent)}}
    client = ShownClient(notebook, timeout=CELL_SECONDS, resources=resources)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    try:
        # What the kernel says of itself (ipykernel warns of plain TCP) is not the notebook's.
        with LOG.open("wb") as log, client.setup_kernel(stderr=log):
            for index, cell in enumerate(notebook.cells):
                show_source(cell)
                client.execute_cell(cell, index)
                client.end_line()
    except CellExecutionError:
        client.end_line()
        return fail(f"{path}: this cell failed; see its output above")
    except TimeoutError:
        client.end_line()
        return fail(f"{path}: this cell was not done after {CELL_SECONDS} s; type: tail {LOG}")
    except (RuntimeError, NoSuchKernel) as e:
        return fail(f"{path}: the kernel did not run ({e}); type: tail {LOG}")
    return 0


def fail(text: str) -> int:
    """Say in one line what went wrong, and return the exit status for it."""
    print(f"ctrkernel: {text}", file=sys.stderr)
    return 1


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
