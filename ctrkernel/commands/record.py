"""``%ctr_record``: a film of the shell, for asciinema and whatever else plays its files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.glance import spoken_duration
from ctrkernel.container import MAIN
from ctrkernel.errors import UsageError
from ctrkernel.session.cast import Cast

if TYPE_CHECKING:
    import argparse


class Record(Command):
    """Record the shell's terminal to a file that asciinema plays, from here on."""

    name = "ctr_record"
    examples = (
        ("%ctr_record demo.cast", "each cell behind a $, and what it prints, as it comes"),
        ("%ctr_record", "whether a recording runs, and how long"),
        ("%ctr_record --stop", "the end; then in a terminal: asciinema play demo.cast"),
    )
    completes = {  # noqa: RUF012 - a constant of the class
        "file": Completes.LOCAL_PATH,
        "session": Completes.SESSION,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """A file, or the end."""
        parser.add_argument("file", metavar="FILE", nargs="?", help="such as demo.cast")
        parser.add_argument("--stop", action="store_true", help="end the recording")
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="another shell than the main one"
        )
        parser.add_argument(
            "--input", action="store_true", help="record each cell's code as typed input too"
        )
        parser.add_argument(
            "--overwrite", action="store_true", help="take the place of a file that is there"
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Begin, end, or tell."""
        recorder = context.workspace.recorder
        cast = recorder.cast
        if arguments.file is not None:
            if arguments.stop:
                raise UsageError("--stop goes without a file; type %ctr_record --stop")
            if cast is not None:
                raise UsageError(
                    f"a recording to {cast.path} runs; end it first: %ctr_record --stop"
                )
            return _begin(arguments, context)
        if cast is None:
            raise UsageError("nothing is recorded; type %ctr_record demo.cast")
        if arguments.stop:
            recorder.stop()
        events = f"{cast.events} event{'' if cast.events == 1 else 's'}"
        said = f"{events} in {spoken_duration(cast.seconds)}"
        if arguments.stop:
            name = shlex.quote(str(cast.path))
            return Output(f"recorded {said}; to play it: asciinema play {name}\n")
        return Output(f"recording to {cast.path}: {said}; %ctr_record --stop ends it\n")


def _begin(arguments: argparse.Namespace, context: Context) -> Output:
    workspace = context.workspace
    settings = workspace.settings
    container = workspace.container()
    session = container.sessions.get(arguments.session)
    path = Path(arguments.file).expanduser().absolute()
    frontend, recorder = context.frontend, workspace.recorder

    def failed(error: OSError) -> None:
        recorder.stop()
        frontend.notice(f"the recording to {path} ended: {error.strerror}; %ctr_record FILE")

    try:
        cast = Cast(
            path,
            overwrite=arguments.overwrite,
            header={
                "width": session.columns if session else settings["width"],
                "height": session.rows if session else settings["height"],
                "title": f"{arguments.session} in {container.name}",
                "env": {
                    "SHELL": session.shell.partition(" ")[0] if session else "sh",
                    "TERM": settings["term"],
                },
            },
            hide=workspace.mask.hide,
            typed=arguments.input,
            on_failure=failed,
        )
    except FileExistsError as error:
        raise UsageError(
            f"{path} is there already; name another file, or type --overwrite"
        ) from error
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}; name another file"
        ) from error
    recorder.start(cast, arguments.session)
    return Output(f"recording to {path}; %ctr_record --stop ends it\n")
