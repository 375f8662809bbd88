"""A notebook without a front end: commands run as the kernel and IPython run them."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from ctrkernel.commands import registry
from ctrkernel.commands.context import Context, Interrupts, Output
from ctrkernel.commands.workspace import Workspace
from tests.commands.recording import RecordingFrontend

if TYPE_CHECKING:
    from collections.abc import Callable


class Notebook:
    """One workspace, and what commands showed."""

    def __init__(self) -> None:
        self.workspace = Workspace(os.environ)
        self.frontend = RecordingFrontend(variables={})
        self.interrupts = Interrupts()

    def run(self, line: str, body: str | None = None) -> Output:
        """Run ``%ctr_name words``; what streamed is kept in `frontend`."""
        name, _, words = line.lstrip("%").partition(" ")
        self.frontend.streams.clear()
        self.frontend.notices.clear()
        self.interrupts = Interrupts()
        context = Context(self.workspace, self.frontend, self.interrupts, body)
        return registry.find(name).run(words, context)

    def shell(self, code: str) -> str:
        """Run code in the attached container's main shell and return its output."""
        self.run("ctr", code)
        return self.frontend.text

    def interrupt_when(self, condition: Callable[[], bool]) -> threading.Thread:
        """Interrupt, once `condition` holds, the command that is run next."""
        begun = self.interrupts

        def watch() -> None:
            while self.interrupts is begun or not condition():
                ended.wait(0.02)
            self.interrupts.interrupt()

        ended = threading.Event()
        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """What the end of a kernel or of IPython does."""
        self.workspace.close()
