"""``%ctr`` and ``%%ctr``: code for a container's persistent shell, or for several at once."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

from ctrkernel.commands.background import Background, Backgrounds
from ctrkernel.commands.command import Body, CommandParser, Completes, TailCommand
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.expansion import expand
from ctrkernel.commands.fan_out import fan_out, named_targets
from ctrkernel.commands.kept import check_kept, keep_output
from ctrkernel.commands.running import run_code, start_code
from ctrkernel.container import MAIN
from ctrkernel.errors import CommandError, UsageError

if TYPE_CHECKING:
    from ctrkernel.container import Container


class Shell(TailCommand):
    """Run shell code in a container's persistent shell; its output shows as it comes."""

    name = "ctr"
    examples = (
        ("%ctr make -j4", "one line in the attached container's shell"),
        ("%%ctr --session build", "the cell, in a shell of its own"),
        ("%%ctr --on web,db", "the cell in both at once, output labelled"),
        ("%ctr --timeout 5 ping web", "interrupted after five seconds"),
        ("%ctr --out branch git branch", "the output, in the Python variable branch"),
        ("job = %ctr --bg --session srv make run", "a handle at once: job.output, job.wait()"),
        ("jobs = %ctr --bg --on web,db make", "in both: jobs.wait(), or jobs['web'].output"),
    )
    body = Body.MAY
    completes = {  # noqa: RUF012 - a constant of the class
        "session": Completes.SESSION,
        "on": Completes.CONTAINER,
        "out": Completes.VARIABLE,
        "result": Completes.VARIABLE,
        "code": Completes.CONTAINER_PATH,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Options, then code."""
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="a shell of that name; made if need be"
        )
        parser.add_argument(
            "--on",
            metavar="TARGET[,TARGET…]",
            help="in these containers at once, in place of the attached one",
        )
        parser.add_argument(
            "--timeout",
            metavar="S",
            type=seconds,
            help="interrupt it after S seconds; what it printed is kept",
        )
        parser.add_argument("--out", metavar="VAR", help="keep the output in a Python variable")
        parser.add_argument(
            "--result", metavar="VAR", help="keep the CommandResult in a Python variable"
        )
        parser.add_argument(
            "--no-raise", action="store_true", help="a status other than 0 is no error"
        )
        parser.add_argument(
            "--bg", action="store_true", help="return a handle at once and run in the background"
        )
        parser.add_argument(
            "--expand",
            action="store_true",
            help="replace {name} in the cell's body by the Python variable's value, as in a line",
        )
        parser.add_argument("code", metavar="CODE", nargs="?", default="", help="shell code")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Run it, in one container or several."""
        self._check(arguments, context)
        code = arguments.code if context.body is None else context.body
        if arguments.expand and context.body is not None:
            # A front end with variables has expanded the line already.
            code = expand(code, context.frontend.variables or {}, dollars=False)
        targets = named_targets(arguments.on)
        if len(targets) > 1:
            return self._fleet(arguments, context, targets, code)
        container = context.workspace.container(*targets)
        if arguments.bg:
            handle = _start(container, arguments.session, code, context)
            return Output(f"{handle!r}\n", value=handle)
        try:
            result = run_code(
                container,
                arguments.session,
                code,
                context=context,
                timeout=_timeout(arguments, context),
                on_output=context.frontend.stream,
            )
        except CommandError as error:
            if error.result is not None:
                self._keep(arguments, context, error.result.output, error.result)
            raise
        self._keep(arguments, context, result.output, result)
        if not arguments.no_raise:
            result.check()
        return Output()

    def _fleet(
        self,
        arguments: argparse.Namespace,
        context: Context,
        targets: list[str],
        code: str,
    ) -> Output:
        containers, errors = context.workspace.members(targets)
        if arguments.bg:
            for error in errors.values():
                raise error
            handles = Backgrounds()
            try:
                for each in containers:
                    handles[each.name] = _start(each, arguments.session, code, context)
            except BaseException:
                # Nobody would have a handle of those that have begun.
                handles.interrupt()
                raise
            return Output(f"{handles!r}\n", value=handles)
        fleet = fan_out(
            containers,
            arguments.session,
            code,
            context=context,
            timeout=_timeout(arguments, context),
            errors=errors,
        )
        self._keep(arguments, context, fleet.outputs, fleet.results)
        fleet.check(allow_failed=arguments.no_raise)
        return Output()

    def _check(self, arguments: argparse.Namespace, context: Context) -> None:
        if context.body is not None and arguments.code:
            raise UsageError(
                "%%ctr takes code on the lines below it; for one line type "
                f"%ctr {arguments.code.splitlines()[0]}"
            )
        if context.body is None and not arguments.code:
            raise UsageError("%ctr needs code; type %ctr ls, or %ctr --help")
        if arguments.bg and (arguments.out or arguments.result or arguments.timeout is not None):
            raise UsageError(
                "--bg goes with none of --out, --result, --timeout; its handle has .output and "
                ".wait(timeout)"
            )
        if context.frontend.variables is None and (
            arguments.out or arguments.result or arguments.expand
        ):
            raise UsageError(
                "--out, --result and --expand need Python variables; "
                "in this kernel use the shell's own: x=$(command)"
            )
        check_kept(out=arguments.out, result=arguments.result)

    def _keep(
        self,
        arguments: argparse.Namespace,
        context: Context,
        output: str | dict[str, str],
        result: object,
    ) -> None:
        variables = context.frontend.variables
        if variables is None:
            return
        keep_output(context, "--out", arguments.out, output)
        if arguments.result:
            variables[arguments.result] = result


def _timeout(arguments: argparse.Namespace, context: Context) -> float | None:
    default: float | None = context.workspace.settings.known("timeout")
    given: float | None = arguments.timeout
    return default if given is None else given


def _start(container: Container, session: str, code: str, context: Context) -> Background:
    # Where there is no Python to keep the handle in, the output shows as it comes.
    on_output = context.workspace.on_late if context.frontend.variables is None else None
    started, execution = start_code(container, session, code, context=context, on_output=on_output)
    return Background(container.name, started, execution, hide=container.mask.hide)


def seconds(text: str) -> float:
    """Read a number of seconds above 0; for argparse, which tells the person."""
    with contextlib.suppress(ValueError):
        number = float(text)
        if 0 < number < float("inf"):
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
