"""What a front end gives to a command: a place to work in, and a way to speak to the person."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping

    from ctrkernel.commands.progress import Progress
    from ctrkernel.commands.workspace import Workspace


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Output:
    """What a command shows at its end.

    Attributes:
        text: Plain text, for every front end.
        html: The same for a front end that can show it; empty for text alone.
        value: What the command returns in Python; IPython shows it if nobody takes it, and shows
            `text` or `html` only where there is none. Its repr must say the same as `text`.
        data: Further forms by MIME type, such as ``image/png`` in base64.
    """

    text: str = ""
    html: str = ""
    value: object = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bundle(self) -> dict[str, Any]:
        """Every form by its MIME type; more than one is for a front end that can choose."""
        html = {"text/html": self.html} if self.html else {}
        return {"text/plain": self.text, **html, **self.data}

    @property
    def rich(self) -> bool:
        """Whether there is more than text."""
        return bool(self.html or self.data)


class Frontend(Protocol):
    """What commands need of the kernel or IPython; every method may be called from any thread."""

    @property
    def variables(self) -> MutableMapping[str, object] | None:
        """The person's Python variables; None where there are none, as in the kernel."""

    @property
    def terminal(self) -> bool:
        """Whether the person sits at a terminal of this process."""

    def stream(self, text: str, *, name: str = "stdout") -> None:
        """Show text as it comes; `name` is ``stdout`` or ``stderr``."""

    def progress(self, progress: Progress | None) -> None:
        """Show how far something is in place of what it was before; None takes it away."""

    def notice(self, line: str) -> None:
        """Show a line of our own, told apart from a program's output."""

    def at_terminal(self, work: Callable[[], _T]) -> _T:
        """Do `work` in the thread that owns the person's terminal; only where `terminal` is true.

        Raises:
            UsageError: There is no terminal.
        """

    def ask_hidden(self, prompt: str) -> str:
        """Ask for a word that nobody sees typed.

        Raises:
            UsageError: Nobody can be asked here.
        """

    def ask(self, prompt: str, *, hidden: bool, cancelled: Callable[[], bool]) -> str:
        """Ask for a line, for a program; U+0004 is the end of input.

        Args:
            prompt: What stands before it.
            hidden: Nobody should see what is entered.
            cancelled: Asked now and then; true takes the question away.

        Raises:
            UsageError: Nobody can be asked here.
            CommandInterrupted: `cancelled` said so, or the person interrupted.
        """


class Interrupts:
    """How a person's interrupts reach the work of a command; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._event = threading.Event()

    def interrupt(self) -> None:
        """Tell the command, each time that the person interrupts."""
        with self._lock:
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def is_set(self) -> bool:
        """Whether the person has interrupted."""
        return self._event.is_set()

    def wait(self, timeout: float) -> bool:
        """Wait for an interrupt, at most `timeout` seconds; whether one came."""
        return self._event.wait(timeout)

    @contextlib.contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Have `callback` called at each interrupt while the body runs, and at once after one."""
        with self._lock:
            self._callbacks.append(callback)
            late = self._event.is_set()
        try:
            if late:
                callback()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)


@dataclass(frozen=True, slots=True)
class Context:
    """What a command works with.

    Attributes:
        workspace: What the notebook is attached to.
        frontend: How it speaks to the person.
        interrupts: How the person interrupts it.
        body: The rest of the cell, for a command that a ``%%`` line named; else None.
    """

    workspace: Workspace
    frontend: Frontend
    interrupts: Interrupts = field(default_factory=Interrupts)
    body: str | None = None
