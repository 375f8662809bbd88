"""``%ctr_exec``: a program that is run once, with nothing of a shell's around it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ctrkernel.commands.command import Body, Command, CommandParser, Completes, split_words
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.fan_out import in_each, named_targets
from ctrkernel.commands.kept import check_kept, keep_output
from ctrkernel.commands.shell import seconds
from ctrkernel.container import MAIN
from ctrkernel.errors import CommandError, UsageError, one_line
from ctrkernel.session.variables import check_name

if TYPE_CHECKING:
    import argparse

    from ctrkernel.container import Container
    from ctrkernel.session.exec import OnExecOutput
    from ctrkernel.session.result import ExecResult


class Exec(Command):
    """Run a program once, without a shell; stdout and stderr are told apart."""

    name = "ctr_exec"
    examples = (
        ("%ctr_exec ls -l /srv", "words as they stand: no globs, no $HOME, no pipes"),
        ("%ctr_exec -- sh -c 'ls *.csv | wc -l'", "a shell of its own for one line"),
        ("%ctr_exec --session-env make", "in the shell's directory, with its variables"),
        ("%ctr_exec --user postgres --workdir / id", "as somebody else, somewhere else"),
        ("%ctr_exec --out rows psql -Atc 'select 1'", "stdout, in the Python variable rows"),
        ("%ctr_exec --input rows sort", "a Python variable's text as its input"),
        ("%%ctr_exec psql", "the cell below as its input"),
        ("%ctr_exec --on web,db --timeout 5 df -h", "in both at once, ended after five seconds"),
    )
    body = Body.MAY
    # Any number of programs run at once.
    takes_turn = False
    completes = {  # noqa: RUF012 - a constant of the class
        "session": Completes.SESSION,
        "on": Completes.CONTAINER,
        "input": Completes.VARIABLE,
        "out": Completes.VARIABLE,
        "err": Completes.VARIABLE,
        "result": Completes.VARIABLE,
        "workdir": Completes.CONTAINER_PATH,
        "argv": (Completes.COMMAND, Completes.CONTAINER_PATH),
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Options, then a program and its words."""
        parser.add_argument("--user", metavar="NAME", help="a name or uid, or NAME:GROUP")
        parser.add_argument(
            "--workdir", metavar="PATH", help="an absolute path; the image's where left out"
        )
        parser.add_argument(
            "--env",
            metavar="NAME[=VALUE]",
            action="append",
            default=[],
            help="a variable; without a value this machine's own",
        )
        parser.add_argument(
            "--session-env",
            action="store_true",
            help="the shell's directory and exported variables, as they are now",
        )
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="whose, with --session-env"
        )
        parser.add_argument("--tty", action="store_true", help="give it a terminal")
        parser.add_argument("--input", metavar="VAR", help="a Python variable's text or bytes")
        parser.add_argument("--timeout", metavar="S", type=seconds, help="end it after S seconds")
        parser.add_argument(
            "--on",
            metavar="TARGET[,TARGET…]",
            help="in these containers at once, in place of the attached one",
        )
        parser.add_argument("--out", metavar="VAR", help="keep stdout in a Python variable")
        parser.add_argument("--err", metavar="VAR", help="keep stderr in a Python variable")
        parser.add_argument(
            "--result", metavar="VAR", help="keep the ExecResult in a Python variable"
        )
        parser.add_argument(
            "--no-raise", action="store_true", help="a status other than 0 is no error"
        )
        parser.add_argument("argv", metavar="ARGV", nargs="*", help="the program and its words")

    def words(self, line: str) -> list[str]:
        """Split the line; from the program on, words are its own and no options of ours."""
        words = split_words(line, self.name)
        taking = {
            option: action.nargs is None
            for action in self.parser()._actions  # noqa: SLF001 - argparse has no other way
            for option in action.option_strings
        }
        position = 0
        while position < len(words) and words[position].startswith("-"):
            if words[position] == "--":
                return words
            position += 2 if taking.get(words[position]) else 1
        rest = words[position:]
        return [*words[:position], "--", *rest] if rest else words

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Run it, in one container or several."""
        _check(arguments, context)
        options = {
            "user": arguments.user,
            "workdir": arguments.workdir,
            "env": dict(map(_variable, arguments.env)),
            "session_env": arguments.session if arguments.session_env else None,
            "tty": arguments.tty,
            "input": _input(arguments.input, context),
            "timeout": arguments.timeout,
            "cancelled": context.interrupts.is_set,
            "on_notice": context.frontend.notice,
        }
        targets = named_targets(arguments.on)

        def run(container: Container, show: OnExecOutput) -> ExecResult:
            with context.interrupts.calling(container.abandon):
                return container.exec(arguments.argv, on_output=show, **options)

        if len(targets) > 1:
            containers, errors = context.workspace.members(targets)
            fleet = in_each(containers, run, context=context, errors=errors)
            each = fleet.results.items()
            _keep(
                arguments,
                context,
                {name: result.output for name, result in each},
                {name: getattr(result, "stderr", "") for name, result in each},
                fleet.results,
            )
            fleet.check(allow_failed=arguments.no_raise)
            return Output()
        try:
            container = context.workspace.container(*targets)
            result = run(container, lambda name, text: context.frontend.stream(text, name=name))
        except CommandError as error:
            if error.result is not None:
                _keep(
                    arguments,
                    context,
                    error.result.output,
                    getattr(error.result, "stderr", ""),
                    error.result,
                )
            raise
        _keep(arguments, context, result.stdout, result.stderr, result)
        if arguments.no_raise:
            if result.reason:
                context.frontend.stream(f"{result.reason}\n", name="stderr")
            return Output()
        result.check()
        return Output()


def _check(arguments: argparse.Namespace, context: Context) -> None:
    if not arguments.argv:
        raise UsageError("%ctr_exec needs a program; type %ctr_exec ls -l, or %ctr_exec --help")
    if arguments.input and context.body is not None:
        raise UsageError("--input and the cell's body are both its input; leave out one of them")
    if arguments.session != MAIN and not arguments.session_env:
        raise UsageError("--session is whose directory and variables --session-env takes; add that")
    kept = [name for name in (arguments.out, arguments.err, arguments.result) if name is not None]
    if context.frontend.variables is None and (kept or arguments.input):
        raise UsageError(
            "--out, --err, --result and --input need Python variables; "
            "in this kernel give the input as the cell below %%ctr_exec"
        )
    check_kept(out=arguments.out, err=arguments.err, result=arguments.result)


def _variable(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    check_name(name)
    if not equals:
        if name not in os.environ:
            raise UsageError(
                f"--env {name}: it is not set on this machine; type --env {name}=VALUE"
            )
        value = os.environ[name]
    return name, value


def _input(name: str | None, context: Context) -> str | bytes | None:
    if name is None:
        return context.body
    variables = context.frontend.variables or {}
    if name not in variables:
        raise UsageError(f"--input {name}: no Python variable has that name")
    value = variables[name]
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str | bytes):
        return value
    raise UsageError(
        f"--input {one_line(name, limit=40)}: it is of type {type(value).__name__}; "
        "make it a str or bytes"
    )


def _keep(
    arguments: argparse.Namespace,
    context: Context,
    out: str | dict[str, str],
    err: str | dict[str, str],
    result: object,
) -> None:
    keep_output(context, "--out", arguments.out, out)
    keep_output(context, "--err", arguments.err, err)
    variables = context.frontend.variables
    if arguments.result and variables is not None:
        variables[arguments.result] = result
