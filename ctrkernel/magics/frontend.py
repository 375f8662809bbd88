"""What commands see of IPython."""

from __future__ import annotations

import contextlib
import sys
import threading
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.display import display

from ctrkernel.errors import UsageError
from ctrkernel.magics.question import Question
from ctrkernel.protocol.prompt import END_OF_INPUT_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from IPython.core.interactiveshell import InteractiveShell

    from ctrkernel.commands.progress import Progress
    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.magics.gauge import Gauge
    from ctrkernel.output.flow import Flow

_T = TypeVar("_T")

#: Pieces of output that may wait to be shown, of a megabyte at most; then the container waits.
BEHIND = 16
#: Seconds after which a signal is seen that came in the moment before a wait began: it wakes only
#: what waits already.
SIGNAL_INTERVAL = 0.1


class MagicFrontend:
    """One command's view; what it shows is shown in the thread that called the magic.

    Args:
        shell: IPython.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        # Its put may be called by a signal handler: it takes no lock of Python's.
        self._requests: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._gauge: Gauge | None = None
        self._room = threading.Semaphore(BEHIND)
        self._over = False
        #: Shapes what a program prints; None where it goes to a terminal, which does it all.
        self._flow: Flow | None = None

    def shape(self, workspace: Workspace) -> None:
        """Keep a notebook's output within its limit, and show the images in it."""
        if not hasattr(self._shell, "kernel"):
            return
        from ctrkernel.commands.inline import rendered  # noqa: PLC0415 - a fast load
        from ctrkernel.commands.overflow import OverflowFile  # noqa: PLC0415 - as above
        from ctrkernel.output.flow import Flow  # noqa: PLC0415 - as above

        settings = workspace.settings
        self._flow = Flow(
            _NotebookView(self),
            limit=lambda: settings.output_limit,
            keep=OverflowFile(workspace.overflow_folder),
            render=partial(rendered, settings, workspace.mask),
            # A front end redraws by itself what a carriage return draws over.
            wake=None,
            retract=False,
        )

    @property
    def variables(self) -> MutableMapping[str, object] | None:
        """IPython's user variables."""
        variables: MutableMapping[str, object] = self._shell.user_ns
        return variables

    @property
    def terminal(self) -> bool:
        """Whether this is IPython in a terminal."""
        return not hasattr(self._shell, "kernel") and sys.stdin.isatty()

    def stream(self, text: str, *, name: str = "stdout") -> None:
        """Show text as it comes."""
        if self._flow is not None and name == "stdout":
            self._flow.write(text)
        else:
            self.write(text, name=name)

    def write(self, text: str, *, name: str = "stdout") -> None:
        """Show text as it is."""

        def write() -> None:
            self._room.release()
            stream = sys.stderr if name == "stderr" else sys.stdout
            stream.write(text)
            stream.flush()

        self._room.acquire()
        if not self._over:
            self._requests.put(write)

    def progress(self, progress: Progress | None) -> None:
        """Show it in IPython's thread: a bar in a notebook that has one, else a line."""

        def draw() -> None:
            if self._gauge is None:
                from ctrkernel.magics.gauge import gauge_for  # noqa: PLC0415 - most need none

                self._gauge = gauge_for(self._shell)
            self._gauge.draw(progress)

        self._requests.put(draw)

    def notice(self, line: str) -> None:
        """Show a line of our own on stderr."""
        self.stream(f"ctrkernel: {line}\n", name="stderr")

    def at_terminal(self, work: Callable[[], _T]) -> _T:
        """Do `work` in IPython's own thread, which gets the signals."""
        answer: Future[_T] = Future()

        def do() -> None:
            try:
                answer.set_result(work())
            except BaseException as error:  # noqa: BLE001 - told to the command's thread
                answer.set_exception(error)

        self._requests.put(do)
        return answer.result()

    def ask_hidden(self, prompt: str) -> str:
        """Ask in IPython's own thread.

        Raises:
            CommandInterrupted: The person interrupted the question.
            UsageError: Nobody can be asked here.
        """
        question = Question(prompt, hidden=True)
        self._requests.put(question.put)
        answer = question.answer.result()
        if answer == END_OF_INPUT_KEY:
            raise UsageError("nobody can be asked here: the input has ended")
        return answer

    def ask(self, prompt: str, *, hidden: bool, cancelled: Callable[[], bool]) -> str:
        """Ask for a line, for a program, in IPython's own thread."""
        question = Question(prompt, hidden=hidden)
        self._requests.put(question.put)
        while True:
            try:
                return question.answer.result(SIGNAL_INTERVAL)
            except TimeoutError:
                if cancelled():
                    question.withdraw()

    def serve(self) -> None:
        """Show and ask what the command wants, until its end."""
        try:
            while (request := self._next()) is not None:
                request()
        finally:
            # Whoever still has something to show must not wait for it.
            self._over = True
            self._room.release(BEHIND)

    def _next(self) -> Callable[[], None] | None:
        while True:
            with contextlib.suppress(Empty):
                return self._requests.get(timeout=SIGNAL_INTERVAL)

    def post(self, work: Callable[[], None]) -> None:
        """Have :meth:`serve` do `work`; a signal handler may call this."""
        self._requests.put(work)

    def finish(self) -> None:
        """Show what was held back of the output; called by whoever ran the command."""
        if self._flow is not None:
            self._flow.finish()

    def end(self) -> None:
        """Make :meth:`serve` return; called when the command has ended."""
        self._requests.put(None)


class _NotebookView:
    """Where the output of a magic's programs is shown.

    Args:
        frontend: Shows it, in IPython's thread.
    """

    behind = False

    def __init__(self, frontend: MagicFrontend) -> None:
        self._frontend = frontend

    def stream(self, text: str) -> None:
        """Show text as it is."""
        self._frontend.write(text)

    def send(self, kind: str, content: Mapping[str, Any]) -> None:
        """Show something else; nothing but display_data comes where nothing is redrawn."""
        assert kind == "display_data"

        def show() -> None:
            display(content["data"], metadata=content["metadata"], raw=True)  # type: ignore[no-untyped-call]

        self._frontend.post(show)
