"""A command whose words, whatever they are, pass the mask before anybody sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ctrkernel.errors import CtrKernelError

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from ctrkernel.commands.context import Context, Frontend, Output
    from ctrkernel.commands.progress import Progress
    from ctrkernel.session.mask import Mask

_T = TypeVar("_T")


def masked(mask: Mask, context: Context, work: Callable[[Context], Output]) -> Output:
    """Do a command's work with secrets taken out of what it shows, returns as text, and raises.

    A session's and a program's output is masked where it comes from; here it is the rest:
    notices, messages that name files, logs.
    """
    try:
        output = work(replace(context, frontend=MaskedFrontend(context.frontend, mask)))
    except CtrKernelError as error:
        error.args = tuple(
            mask.hide(each) if isinstance(each, str) else each for each in error.args
        )
        raise
    return replace(output, text=mask.hide(output.text), html=mask.hide(output.html))


class MaskedFrontend:
    """A front end that sees no secret.

    Args:
        frontend: The one that shows.
        mask: What it must not see.
    """

    def __init__(self, frontend: Frontend, mask: Mask) -> None:
        self._frontend = frontend
        self._mask = mask

    @property
    def variables(self) -> MutableMapping[str, object] | None:
        """The person's Python variables."""
        return self._frontend.variables

    @property
    def terminal(self) -> bool:
        """Whether the person sits at a terminal of this process."""
        return self._frontend.terminal

    def stream(self, text: str, *, name: str = "stdout") -> None:
        """Show text as it comes."""
        self._frontend.stream(self._mask.hide(text), name=name)

    def progress(self, progress: Progress | None) -> None:
        """Show how far something is."""
        self._frontend.progress(progress)

    def notice(self, line: str) -> None:
        """Show a line of our own."""
        self._frontend.notice(self._mask.hide(line))

    def at_terminal(self, work: Callable[[], _T]) -> _T:
        """Do `work` in the thread that owns the person's terminal."""
        return self._frontend.at_terminal(work)

    def ask_hidden(self, prompt: str) -> str:
        """Ask for a word that nobody sees typed."""
        return self._frontend.ask_hidden(prompt)
