"""``%ctr_ps`` and ``%ctr_status``: which containers there are, and how one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.table import Table
from ctrkernel.container import MAIN
from ctrkernel.engine.times import age

if TYPE_CHECKING:
    import argparse

    from ctrkernel.commands.context import Context, Output
    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.engine.container import ContainerInfo

#: Characters of an id that are shown, as the engines do.
_SHORT_ID = 12


class Ps(Command):
    """List the containers: * marks the attached one, and shells are this notebook's."""

    name = "ctr_ps"
    examples = (
        ("%ctr_ps", "the running containers"),
        ("%ctr_ps -a", "those that are stopped too"),
        ("rows = %ctr_ps", "in Python: a table of ContainerInfo"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """All of them, or the running ones."""
        parser.add_argument("-a", "--all", action="store_true", help="the stopped ones too")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Return a table of ContainerInfo."""
        workspace = context.workspace
        containers = workspace.engine.containers(all=arguments.all)
        heads = ("", "name", "image", "state", "ports", "compose", "shells", "age")
        rows = [
            (
                "*" if info.name == workspace.target else "",
                info.name,
                short_image(info.image),
                state_of(info),
                ports_of(info),
                " / ".join(info.compose or ()),
                _shells(workspace, info.name),
                age(info.created),
            )
            for info in containers
        ]
        hint = "" if arguments.all else "; %ctr_ps -a lists the stopped ones"
        return Table(
            heads,
            rows,
            values=containers,
            empty=f"no container{' is running' if hint else ''}; type %ctr_run IMAGE{hint}",
            words=True,
        ).shown()


class Status(Command):
    """Show how a container is: state, exit code, health, times, ports, shells."""

    name = "ctr_status"
    examples = (
        ("%ctr_status", "the attached container"),
        ("%ctr_status web", "another one"),
        ("rows = %ctr_status", "in Python: rows[0] is its ContainerInfo"),
    )
    completes = {"target": Completes.ANY_CONTAINER}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """Perhaps a container."""
        parser.add_argument("target", metavar="TARGET", nargs="?", help="a container's name or id")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Return a table of one container's properties."""
        workspace = context.workspace
        info = workspace.container(arguments.target).status()
        session = workspace.containers.get(info.name)
        main = session.sessions.get(MAIN) if session is not None else None
        rows = [
            ("state", state_of(info)),
            ("exit code", "" if info.running else str(info.exit_code)),
            ("health", info.health or ""),
            ("pid", str(info.pid) if info.pid else ""),
            ("image", f"{info.image} ({info.image_id.removeprefix('sha256:')[:_SHORT_ID]})"),
            ("id", info.id[:_SHORT_ID]),
            ("created", _when(info.created)),
            ("started", _when(info.started)),
            ("finished", "" if info.running else _when(info.finished)),
            ("ports", ports_of(info)),
            ("compose", " / ".join(info.compose or ())),
            ("user", info.user or "root"),
            ("shell", main.shell if main is not None else ""),
            ("shells", _shells(workspace, info.name)),
            ("directory", (main.cwd if main is not None else None) or info.workdir or "/"),
        ]
        shown = [row for row in rows if row[1]]
        return Table(("container", info.name), shown, values=[info], words=True).shown()


def state_of(info: ContainerInfo) -> str:
    """Return the state in a word or two: ``running``, ``running (healthy)``, ``exited (137)``."""
    if info.state == "exited":
        return f"exited ({info.exit_code})"
    return f"{info.state} ({info.health})" if info.running and info.health else info.state


def ports_of(info: ContainerInfo) -> str:
    """Return the ports in one line."""
    return ", ".join(map(str, info.ports))


def short_image(image: str) -> str:
    """Return an image's name, its digest cut short."""
    name, at, digest = image.partition("@")
    if not at and name.startswith("sha256:"):
        return name[: len("sha256:") + _SHORT_ID]
    return f"{name}@{digest[: len('sha256:') + _SHORT_ID]}" if at else name


def _shells(workspace: Workspace, name: str) -> str:
    container = workspace.containers.get(name)
    return ", ".join(container.sessions) if container is not None else ""


def _when(text: str) -> str:
    """Return a moment to the second, and how long ago it was."""
    ago = age(text)
    return f"{text[:19].replace('T', ' ')} ({ago} ago)" if ago else ""
