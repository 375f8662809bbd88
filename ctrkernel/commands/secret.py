"""``%ctr_secret``: variables whose values are seen nowhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.env import ready
from ctrkernel.container import MAIN
from ctrkernel.errors import UsageError, one_line
from ctrkernel.session.mask import Secret
from ctrkernel.session.variables import VALUE_LIMIT, check_name

if TYPE_CHECKING:
    import argparse


class SecretVariable(Command):
    """Ask for a value that nobody sees, and export it in the shell; output shows •••• for it."""

    name = "ctr_secret"
    examples = (
        ("%ctr_secret TOKEN", "asks, and shows no letter"),
        ("%ctr_secret DB_USER DB_PASSWORD", "one after the other"),
        ("%ctr_secret TOKEN --from-env CI_TOKEN", "from this machine's environment, for papermill"),
        ("%ctr_secret KEY --from-file ~/.ssh/deploy", "a file's text, its last newlines left out"),
    )
    completes = {  # noqa: RUF012 - a constant of the class
        "session": Completes.SESSION,
        "from_file": Completes.LOCAL_PATH,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Names, and where the value comes from."""
        parser.add_argument("names", metavar="NAME", nargs="+", help="a variable")
        parser.add_argument(
            "--session", metavar="SESSION", default=MAIN, help="the shell to set it in now"
        )
        parser.add_argument("--from-env", metavar="VAR", help="a variable of this machine")
        parser.add_argument("--from-file", metavar="PATH", help="a file of this machine")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Ask for all, then set them."""
        names = list(dict.fromkeys(map(check_name, arguments.names)))
        if arguments.from_env and arguments.from_file:
            raise UsageError("--from-env and --from-file are two sources; leave out one of them")
        if len(names) > 1 and (arguments.from_env or arguments.from_file):
            raise UsageError("one value is for one name; type a %ctr_secret for each")
        container = context.workspace.container()
        session = ready(container, arguments.session, context)
        for name in names:
            secret = _value(name, arguments, context)
            if context.interrupts.is_set():
                return Output()
            container.variables.keep_secret(session, name, secret)
        many = "s are" if len(names) > 1 else " is"
        return Output(f"{', '.join(names)} set; the value{many} hidden in output\n")


def _value(name: str, arguments: argparse.Namespace, context: Context) -> Secret:
    if arguments.from_env:
        if arguments.from_env not in os.environ:
            raise UsageError(
                f"--from-env {one_line(arguments.from_env, limit=40)}: "
                "it is not set in this process; set it before Jupyter or IPython starts"
            )
        return Secret(os.environ[arguments.from_env])
    if arguments.from_file:
        return _read(arguments.from_file)
    try:
        return Secret(context.frontend.ask_hidden(f"{name}: "))
    except UsageError as error:
        raise UsageError(
            f"{error}; type %ctr_secret {name} --from-env VAR, or --from-file PATH"
        ) from error


def _read(path: str) -> Secret:
    shown = one_line(path, limit=80)
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(VALUE_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"--from-file {shown}: {error.strerror}; name a readable file") from error
    # Not strict: that error would carry the bytes.
    text = data.decode(errors="surrogateescape")
    if any("\udc80" <= each <= "\udcff" for each in text):
        raise UsageError(f"--from-file {shown}: it is no UTF-8 text; use %ctr_put")
    return Secret(text.rstrip("\n"))
