"""``%ctr_send``: text and keys for the program that runs in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.commands.command import Body, CommandParser, Completes, TailCommand
from ctrkernel.commands.context import Context, Output
from ctrkernel.container import MAIN
from ctrkernel.errors import UsageError
from ctrkernel.protocol.keys import key_bytes

if TYPE_CHECKING:
    import argparse

    from ctrkernel.session.shell import ShellSession


class Send(TailCommand):
    """Type text or keys to the program that runs in a session; where none runs, start TEXT."""

    name = "ctr_send"
    examples = (
        ("%ctr_send python3 -i", "nothing runs, so this starts it, and does not wait"),
        ("%ctr_send print('a', 1)", "typed to it as it stands here, then Enter"),
        ("%ctr_send --key C-c", "a key: C-c, C-d, C-z, Escape, Tab, Up, F1, M-x"),
        ("%ctr_send --no-enter --session db y", "only the letter, to another session's program"),
        ("%%ctr_send", "types the lines below"),
        ("%ctr_send -- -x", "text that begins with a dash"),
    )
    body = Body.MAY
    takes_turn = False
    completes = {  # noqa: RUF012 - a constant of the class
        "session": Completes.SESSION,
        "on": Completes.CONTAINER,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Options, then text."""
        either = parser.add_mutually_exclusive_group()
        either.add_argument(
            "--enter", action="store_true", default=None, help="press Enter at the end"
        )
        either.add_argument(
            "--no-enter", dest="enter", action="store_false", help="do not press Enter at the end"
        )
        parser.add_argument(
            "--key",
            metavar="KEY",
            action="append",
            default=[],
            help="press it after the text, again for more; then Enter only with --enter",
        )
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="the shell in which the program runs"
        )
        parser.add_argument(
            "--on", metavar="TARGET", help="in this container, not the attached one"
        )
        parser.add_argument(
            "text", metavar="TEXT", nargs="?", default="", help="the rest of the line, as it is"
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Type it, or start it."""
        text, keys = _text(arguments, context), arguments.key
        enter = not keys if arguments.enter is None else arguments.enter
        if not text and not keys and context.body is None and arguments.enter is None:
            raise UsageError(
                "%ctr_send needs text or a key; type %ctr_send yes, %ctr_send --key C-c, or "
                "%ctr_send --enter for Enter alone"
            )
        for key in keys:
            key_bytes(key)
        session = talking(arguments.on, arguments.session, context)
        if text or not keys:
            session.send(text, enter=enter and not keys)
        if keys:
            session.send_keys(*keys, *(["Enter"] if enter else []))
        return Output()


def _text(arguments: argparse.Namespace, context: Context) -> str:
    text: str = arguments.text
    if context.body is None:
        return text
    if text:
        raise UsageError("%%ctr_send takes its text from the lines below, not from its own line")
    return context.body.removesuffix("\n")


def talking(target: str | None, name: str, context: Context) -> ShellSession:
    """Return the session `name`, at its prompt or busy; a shell that has ended is replaced.

    Raises:
        ExpectEnded: The shell has ended with a program that was talked to, and nobody was told.
    """
    with context.interrupts.calling(context.workspace.abandon):
        container = context.workspace.container(target)
        present = container.sessions.get(name)
        if present is not None and not present.alive:
            present.require_seen()
        session, notice = container.ready(name)
    if notice:
        context.frontend.notice(notice)
    return session
