"""``%ctr_interact``: a person at the tty of a session."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.send import talking
from ctrkernel.container import MAIN
from ctrkernel.protocol.detach import DETACH_KEYS, DetachKeys

if TYPE_CHECKING:
    import argparse


class Interact(Command):
    """Sit down at a session's own shell, in a terminal; it is handed back as you leave it.

    In IPython's terminal you are there at once. In a notebook the command lets a terminal in and
    says what to type in one. Each line that you enter runs in the session, so that directory,
    variables and functions carry both ways; while a command runs, every key goes to it. Ctrl-D at
    the prompt hands the session back; the detach keys leave a command running.
    """

    name = "ctr_interact"
    examples = (
        ("%ctr_interact", "the shell of the attached container"),
        ("%ctr_interact --session build", "another session; made if need be"),
        ("%ctr_interact --detach-keys ctrl-x,q", "leave a running command by these"),
    )
    takes_turn = False
    completes = {  # noqa: RUF012 - a constant of the class
        "session": Completes.SESSION,
        "on": Completes.CONTAINER,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Which session, and how to leave."""
        parser.add_argument("--session", metavar="NAME", default=MAIN, help="the shell to sit at")
        parser.add_argument(
            "--on", metavar="TARGET", help="in this container, not the attached one"
        )
        parser.add_argument(
            "--detach-keys",
            metavar="KEYS",
            default=DETACH_KEYS,
            help=f"leave a running command by these keys ({DETACH_KEYS})",
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Hand the terminal over, or let one in."""
        DetachKeys(arguments.detach_keys)
        session = talking(arguments.on, arguments.session, context)
        if context.frontend.terminal:
            keys = arguments.detach_keys
            left = context.frontend.at_terminal(lambda: session.interact(detach_keys=keys))
            return Output(f"{left}\n" if left else "")
        session.open_door()
        words = ["ctrkernel", "shell", session.container, "--join"]
        if session.name != MAIN:
            words += ["--session", session.name]
        return Output(
            f"type in a terminal on this machine: {shlex.join(words)}\n"
            "Ctrl-D at its prompt hands the session back to the notebook.\n"
        )
