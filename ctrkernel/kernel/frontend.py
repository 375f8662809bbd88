"""What commands see of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ctrkernel.commands.progress import Redrawn
from ctrkernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.commands.progress import Progress
    from ctrkernel.kernel.stream import Publisher

_T = TypeVar("_T")


class KernelFrontend:
    """A notebook without Python behind it.

    Args:
        publisher: Sends what is shown.
        ask: Shows a box for a line, and returns it.
        ask_hidden: The same for a word that nobody sees typed.
    """

    variables = None
    terminal = False

    def __init__(
        self, publisher: Publisher, ask: Callable[..., str], ask_hidden: Callable[[str], str]
    ) -> None:
        self._publisher = publisher
        self._ask = ask
        self._ask_hidden = ask_hidden
        self._line = Redrawn(publisher.stream)

    def stream(self, text: str, *, name: str = "stdout") -> None:
        """Show text under the running cell."""
        self._publisher.stream(text, name=name)

    def progress(self, progress: Progress | None) -> None:
        """Show it as one line over the last one, as a terminal would."""
        self._line.draw(progress)

    def notice(self, line: str) -> None:
        """Show a line of our own on stderr."""
        self._publisher.notice(line)

    def at_terminal(self, work: Callable[[], _T]) -> _T:  # noqa: ARG002 - there is none
        """Nobody sits at a terminal of the kernel's."""
        raise UsageError("there is no terminal in this front end")

    def ask_hidden(self, prompt: str) -> str:
        """Ask for a word that nobody sees typed."""
        return self._ask_hidden(prompt)

    def ask(self, prompt: str, *, hidden: bool, cancelled: Callable[[], bool]) -> str:
        """Ask for a line."""
        return self._ask(prompt, hidden=hidden, cancelled=cancelled)
