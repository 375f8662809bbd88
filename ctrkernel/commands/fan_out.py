"""The same code in several containers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ctrkernel.commands.running import run_code
from ctrkernel.errors import (
    CommandError,
    CommandFailed,
    CommandInterrupted,
    CtrKernelError,
    UsageError,
    name_list,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.commands.context import Context
    from ctrkernel.container import Container
    from ctrkernel.session.exec import OnExecOutput
    from ctrkernel.session.result import CommandResult, ExecResult

#: Containers that are worked in at the same moment; each takes a thread and an exec.
AT_ONCE = 64
#: Between a container's name and a line of its output.
SEPARATOR = " │ "


@dataclass(frozen=True, slots=True)
class Fleet:
    """What came of it in each container.

    Attributes:
        results: By container, in the order in which they were named; one that printed nothing and
            has no status is missing.
        errors: Why a container has no result, or not a whole one.
    """

    results: dict[str, CommandResult | ExecResult] = field(default_factory=dict)
    errors: dict[str, CtrKernelError] = field(default_factory=dict)

    @property
    def outputs(self) -> dict[str, str]:
        """The output by container."""
        return {name: result.output for name, result in self.results.items()}

    def check(self, *, allow_failed: bool = False) -> None:
        """Raise if a member failed; the error names who and why.

        Args:
            allow_failed: A status other than 0 is no failure.

        Raises:
            CommandInterrupted: The person interrupted it.
            CommandFailed: A member failed.
        """
        why = {name: str(error) for name, error in self.errors.items()}
        if not allow_failed:
            for name, result in self.results.items():
                if not result.ok:
                    reason = getattr(result, "reason", "")
                    told = f": {reason}" if reason else ""
                    why.setdefault(name, f"exit status {result.exit_code}{told}")
        if not why:
            return
        count = len(self.results.keys() | self.errors.keys())
        told = name_list([f"{name} ({reason})" for name, reason in sorted(why.items())])
        if any(isinstance(error, CommandInterrupted) for error in self.errors.values()):
            raise CommandInterrupted(f"interrupted in {len(why)} of {count}: {told}")
        raise CommandFailed(f"failed in {len(why)} of {count}: {told}")


def named_targets(on: str | None) -> list[str]:
    """Return what ``--on`` names, each once; nothing where it was left out.

    Raises:
        UsageError: A name is empty, as where a Python variable was.
    """
    if on is None:
        return []
    targets = [target.strip() for target in on.split(",")]
    if not all(targets):
        raise UsageError(f"--on {on!r}: a name is empty; type --on web,db")
    return list(dict.fromkeys(targets))


def fan_out(
    containers: Sequence[Container],
    name: str,
    code: str,
    *,
    context: Context,
    timeout: float | None = None,
    errors: Mapping[str, CtrKernelError] | None = None,
) -> Fleet:
    """Run `code` in the session `name` of each container; the slowest sets the time.

    Every line of output is labelled with its container's name as it comes.

    Args:
        containers: Where.
        name: The session.
        code: What.
        context: Takes the output and the interrupts.
        timeout: Seconds for each.
        errors: Why others that were named take no part.
    """

    def run(container: Container, show: OnExecOutput) -> CommandResult:
        return run_code(
            container,
            name,
            code,
            context=context,
            timeout=timeout,
            label=f"{container.name}{SEPARATOR}",
            on_output=lambda text: show("stdout", text),
        )

    return in_each(containers, run, context=context, errors=errors)


def in_each(
    containers: Sequence[Container],
    work: Callable[[Container, OnExecOutput], CommandResult | ExecResult],
    *,
    context: Context,
    errors: Mapping[str, CtrKernelError] | None = None,
) -> Fleet:
    """Do `work` in each container at once, each in a thread of its own.

    Args:
        containers: Where.
        work: Gives its output, ``stdout`` or ``stderr`` and text, to what it is called with.
        context: Where the output is shown, each line labelled.
        errors: Why others that were named take no part.
    """
    fleet = Fleet(errors=dict(errors or {}))
    if not containers:
        return fleet
    width = max(len(container.name) for container in containers)

    def run(container: Container) -> None:
        label = f"{container.name:<{width}}{SEPARATOR}"
        lines = {
            name: Labelled(label, partial(context.frontend.stream, name=name))
            for name in ("stdout", "stderr")
        }
        try:
            fleet.results[container.name] = work(
                container, lambda name, text: lines[name].feed(text)
            )
        except CtrKernelError as error:
            fleet.errors[container.name] = error
            if isinstance(error, CommandError) and error.result is not None:
                fleet.results[container.name] = error.result
        finally:
            for each in lines.values():
                each.close()

    with ThreadPoolExecutor(min(len(containers), AT_ONCE), "ctrkernel-fan-out") as threads:
        for future in [threads.submit(run, container) for container in containers]:
            future.result()
    names = [container.name for container in containers]
    return Fleet(
        {name: fleet.results[name] for name in names if name in fleet.results}, fleet.errors
    )


class Labelled:
    """Gives out whole lines, each behind a label.

    Args:
        label: What stands before each line.
        show: Takes the text.
    """

    def __init__(self, label: str, show: Callable[[str], None]) -> None:
        self._label = label
        self._show = show
        self._rest = ""

    def feed(self, text: str) -> None:
        """Add output; a line that is not whole waits."""
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            self._show("".join(f"{self._label}{line}\n" for line in lines))

    def close(self) -> None:
        """Give out what has no newline, with one."""
        if self._rest:
            self.feed("\n")
