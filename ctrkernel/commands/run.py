"""``%ctr_run``: a container for this notebook."""

from __future__ import annotations

import argparse
import shlex
from typing import Final

from ctrkernel.commands.build import named_values
from ctrkernel.commands.command import Command, CommandParser, Completes, split_words
from ctrkernel.commands.context import Context, Output
from ctrkernel.engine.create import PULL, RunSpec
from ctrkernel.errors import ContainerExited, UsageError

#: Stands before each word of the container's command on its way through argparse.
_WORD: Final = "--command-word"
#: Options of the engine's that are passed on as they are, each with what it is.
_VALUES: Final = {
    "add-host": "a line for /etc/hosts: NAME:ADDRESS",
    "cap-add": "a capability that it gets",
    "cap-drop": "a capability that it loses",
    "cpus": "how many processors it may use",
    "device": "a device of the host",
    "gpus": "graphics processors: all, or how many",
    "hostname": "its name for itself",
    "memory": "how much memory it may use: 512m, 2g",
    "security-opt": "a security option",
    "shm-size": "the size of /dev/shm: 1g",
    "tmpfs": "a path that is memory",
    "ulimit": "a limit: nofile=1024:1024",
}
_FLAGS: Final = {
    "init": "run a small init as its first process, which ends what was left behind",
    "privileged": "give it every right on the host",
    "read-only": "mount its root file system read-only",
}


class Run(Command):
    """Make a container, start it, and run the cells that follow in it.

    It is removed, with its anonymous volumes, when the notebook's kernel or IPython ends, unless
    --keep is given. The image's own command runs, with an input that stays open; if it ends at once
    without an error, a shell that waits takes its place.
    """

    name = "ctr_run"
    examples = (
        ("%ctr_run debian:12", "a container called debian, or debian-2 …"),
        ("%ctr_run -v ./src:/src -w /src python:3.12", "with a folder of this machine"),
        ("%ctr_run -p 8080:80 --name web --keep nginx", "a service that stays"),
        ("%ctr_run --env TOKEN --env MODE=test app", "TOKEN's value is that of the environment"),
        ("%ctr_run debian:12 -- sleep infinity", "with a command of its own"),
    )
    completes = {  # noqa: RUF012 - a constant of the class
        "image": Completes.IMAGE,
        "env_file": Completes.LOCAL_PATH,
        "volume": Completes.LOCAL_PATH,
        "log_dir": Completes.LOCAL_PATH,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """An image and the options; what follows -- is split off before."""
        parser.usage = "%(prog)s [options] IMAGE [-- CMD ...]"
        parser.add_argument("image", metavar="IMAGE", help="the image; pulled if it is not here")
        parser.add_argument(
            "extra", metavar="-- CMD", nargs="*", default=[], help="the container's own command"
        )
        # Where the words behind -- go: as options, so that none of them is taken for one.
        parser.add_argument(
            _WORD, dest="command", action="append", default=[], help=argparse.SUPPRESS
        )
        parser.add_argument("--name", metavar="NAME", help="its name, which must be free")
        _several(parser, "-e --env", "NAME[=VALUE]", "a variable; NAME alone: this one's value")
        _several(parser, "--env-file", "FILE", "a file of NAME=VALUE lines")
        _several(parser, "--mount", "SPEC", "type=bind,source=DIR,target=PATH …")
        _several(parser, "-v --volume", "DIR:PATH[:ro]", "a folder or volume, and where it is")
        _several(parser, "-p --port --publish", "[HOST:]PORT", "publish a port")
        parser.add_argument("-w", "--workdir", metavar="PATH", help="where it starts")
        parser.add_argument("-u", "--user", metavar="USER", help="as whom: a name or uid[:gid]")
        parser.add_argument("--network", metavar="NAME", help="the network it is in")
        parser.add_argument("--entrypoint", metavar="PROGRAM", help="in place of the image's")
        _several(parser, "--label", "KEY=VALUE", "a label")
        parser.add_argument("--platform", metavar="OS/ARCH", help="such as linux/arm64")
        parser.add_argument(
            "--pull", choices=PULL, default=PULL[0], help="when the image is pulled (missing)"
        )
        end = parser.add_mutually_exclusive_group()
        end.add_argument(
            "--rm", action="store_true", help="remove it when the notebook ends (this is so)"
        )
        end.add_argument("--keep", action="store_true", help="leave it when the notebook ends")
        parser.add_argument(
            "--log-dir", metavar="DIR", help="keep what it and its shells print in files there"
        )
        parser.add_argument("--no-attach", action="store_true", help="only start it")
        for option, what in _VALUES.items():
            _several(parser, f"--{option}", "VALUE", what)
        for option, what in _FLAGS.items():
            parser.add_argument(f"--{option}", action="store_true", help=what)

    def words(self, line: str) -> list[str]:
        """Split; what follows the first ``--`` is the container's command, whatever it is."""
        words = split_words(line, self.name)
        end = words.index("--") if "--" in words else len(words)
        return [*words[:end], *(f"{_WORD}={word}" for word in words[end + 1 :])]

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Run, attach, and say to what."""
        if arguments.extra:
            command = shlex.join([*arguments.extra, *arguments.command])
            raise UsageError(
                f"%ctr_run takes the container's command behind --; "
                f"type %ctr_run {arguments.image} -- {command}"
            )
        spec = RunSpec(
            arguments.image,
            arguments.command,
            name=arguments.name,
            env=named_values(arguments.env, "--env"),
            env_files=arguments.env_file,
            mounts=arguments.mount,
            volumes=arguments.volume,
            ports=arguments.port,
            workdir=arguments.workdir,
            user=arguments.user,
            network=arguments.network,
            entrypoint=arguments.entrypoint,
            labels=arguments.label,
            pull=arguments.pull,
            platform=arguments.platform,
            options=_options(arguments),
        )
        frontend = context.frontend
        try:
            with context.interrupts.calling(context.workspace.abandon):
                container = context.workspace.run(
                    spec,
                    keep=arguments.keep,
                    log_dir=arguments.log_dir,
                    attach=not arguments.no_attach,
                    on_line=lambda line: frontend.stream(f"{line}\n"),
                    on_notice=frontend.notice,
                    cancelled=context.interrupts.is_set,
                )
        except ContainerExited as error:
            if error.log:
                frontend.stream(error.log if error.log.endswith("\n") else f"{error.log}\n")
            raise
        sessions = container.sessions
        shell = "".join(f", {session.shell}" for session in sessions.values())
        what = "started" if arguments.no_attach else "attached to"
        stays = "stays" if arguments.keep else "goes when the notebook ends"
        return Output(f"{what} {container.name} ({spec.image}){shell}; it {stays}\n")


def _several(parser: CommandParser, options: str, metavar: str, what: str) -> None:
    """Add an option, with its other forms, that may be given several times."""
    forms = options.split()
    name = next(form for form in forms if form.startswith("--"))
    parser.add_argument(
        *forms,
        dest=name[2:].replace("-", "_"),
        metavar=metavar,
        action="append",
        default=[],
        help=what,
    )


def _options(arguments: argparse.Namespace) -> list[str]:
    values = vars(arguments)
    words = [
        f"--{option}={value}" for option in _VALUES for value in values[option.replace("-", "_")]
    ]
    words += [f"--{option}" for option in _FLAGS if values[option.replace("-", "_")]]
    return words
