"""A command whose words, whatever they are, pass the mask before anybody sees them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ctrkernel.commands.table import Table
from ctrkernel.errors import CtrKernelError

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from ctrkernel.commands.context import Context, Frontend, Output
    from ctrkernel.commands.progress import Progress
    from ctrkernel.session.mask import Mask

_T = TypeVar("_T")

#: What is text to a person; in base64 there is nothing to be found.
_READABLE: Final = ("text/", "application/json", "image/svg")


def masked(mask: Mask, context: Context, work: Callable[[Context], Output]) -> Output:
    """Do a command's work with secrets taken out of what it shows, returns, and raises.

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
    return replace(
        output,
        text=mask.hide(output.text),
        html=mask.hide(output.html),
        value=_hidden(output.value, mask.hide),
        data={
            kind: _hidden(each, mask.hide) if kind.startswith(_READABLE) else each
            for kind, each in output.data.items()
        },
    )


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    """Return a copy of what a command gives to Python, each text in it without secrets."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Table):
        return value.mapped(partial(_hidden, hide=hide))
    if isinstance(value, dict):
        return type(value)({_hidden(key, hide): _hidden(each, hide) for key, each in value.items()})
    if isinstance(value, list) or type(value) is tuple:
        return type(value)(_hidden(each, hide) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        texts = {each.name: _hidden(getattr(value, each.name), hide) for each in fields(value)}
        return replace(value, **texts)
    return value


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

    def ask(self, prompt: str, *, hidden: bool, cancelled: Callable[[], bool]) -> str:
        """Ask for a line, for a program."""
        return self._frontend.ask(self._mask.hide(prompt), hidden=hidden, cancelled=cancelled)
