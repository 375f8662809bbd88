"""A front end that keeps what commands show."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from ctrkernel.errors import CommandInterrupted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from ctrkernel.commands.progress import Progress

_T = TypeVar("_T")

#: Seconds between two looks at whether a question was cancelled.
LOOK_INTERVAL = 0.05


class RecordingFrontend:
    """Keeps streams, notices and progress; answers hidden questions from `answers`."""

    def __init__(
        self,
        *,
        variables: MutableMapping[str, object] | None = None,
        terminal: bool = False,
        answers: tuple[str, ...] = (),
    ) -> None:
        self.variables = variables
        self.terminal = terminal
        self.streams: list[tuple[str, str]] = []
        self.notices: list[str] = []
        self.steps: list[Progress | None] = []
        self.questions: list[str] = []
        self._answers = list(answers)

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.streams)

    def stream(self, text: str, *, name: str = "stdout") -> None:
        self.streams.append((name, text))

    def progress(self, progress: Progress | None) -> None:
        self.steps.append(progress)

    def notice(self, line: str) -> None:
        self.notices.append(line)

    def at_terminal(self, work: Callable[[], _T]) -> _T:
        return work()

    def ask_hidden(self, prompt: str) -> str:
        self.questions.append(prompt)
        if not self._answers:
            raise UsageError("nobody can be asked here")
        return self._answers.pop(0)

    def ask(self, prompt: str, *, hidden: bool, cancelled: Callable[[], bool]) -> str:
        self.questions.append(prompt)
        while not self._answers and not cancelled():
            time.sleep(LOOK_INTERVAL)
        if not self._answers:
            raise CommandInterrupted("hidden" if hidden else "open")
        return self._answers.pop(0)
