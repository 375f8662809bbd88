"""Progress in IPython: tqdm's bar in a notebook that can show one, else a line of text."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from IPython.display import display

from ctrkernel.commands.progress import WIDTH, Redrawn

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ctrkernel.commands.progress import Progress


class Gauge(Protocol):
    """Shows how far something is."""

    def draw(self, progress: Progress | None) -> None:
        """Show it; None takes it away."""


class Hidden:
    """Shows nothing: the output goes to a file or a pipe, where a line cannot be drawn over."""

    def draw(self, progress: Progress | None) -> None:
        """Do nothing."""


class NotebookBar:
    """tqdm's notebook bar, made when there is something to show, and gone at the end."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._handle: Any = None

    def draw(self, progress: Progress | None) -> None:
        """Move the bar; None removes it."""
        if progress is None:
            if self._bar is not None:
                self._bar.close()
                # Without this a dead widget would stay in the notebook that is saved.
                self._handle.update({"text/plain": ""}, raw=True)
            self._bar = self._handle = None
            return
        if self._bar is None:
            self._bar = self._begun(progress)
            self._handle = display(self._bar.container, display_id=True)  # type: ignore[no-untyped-call]
        self._bar.total = progress.total
        self._bar.update(progress.done - self._bar.n)

    @staticmethod
    def _begun(progress: Progress) -> Any:
        from tqdm.notebook import tqdm_notebook  # noqa: PLC0415 - most copies need none

        bar = tqdm_notebook(
            desc=progress.label,
            total=progress.total,
            unit="B",
            unit_scale=True,
            leave=False,
            display=False,
            # The meter decides how often; tqdm would hold back what comes at a steady pace.
            mininterval=0.0,
        )
        # It began when the copy did, not with its first picture.
        bar.start_t -= progress.seconds
        return bar


def gauge_for(shell: InteractiveShell) -> Gauge:
    """Return what shows progress in `shell`."""
    if hasattr(shell, "kernel"):
        # tqdm's notebook bar is a widget.
        if find_spec("tqdm") is not None and find_spec("ipywidgets") is not None:
            return NotebookBar()
        return Redrawn(_write)
    if not sys.stdout.isatty():
        return Hidden()
    return Redrawn(_write, width=min(WIDTH, shutil.get_terminal_size().columns - 1))


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
