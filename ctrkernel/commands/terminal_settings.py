"""Settings of the shells' terminals, applied to those that are open as far as that can be."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import CtrKernelError
from ctrkernel.session.aside import run_aside
from ctrkernel.session.launcher import PAGERS, Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ctrkernel.commands.settings import Settings
    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.session.shell import ShellSession

#: Those that are a terminal's.
SIZE: Final = frozenset({"width", "height"})
VARIABLES: Final = frozenset({"term", "pager"})


def screen(settings: Settings) -> Screen:
    """Return what a new shell's terminal is."""
    return Screen(
        rows=settings.known("height"),
        columns=settings.known("width"),
        env=_variables(settings, VARIABLES),
    )


def apply(workspace: Workspace, names: Collection[str], tell: Callable[[str], None]) -> None:
    """Bring the open shells to what was just set.

    Args:
        workspace: Its settings hold the new values.
        names: What was set.
        tell: Called with a line for a shell that goes on as it is.
    """
    sized, variables = SIZE.intersection(names), VARIABLES.intersection(names)
    if not sized and not variables:
        return
    wanted = screen(workspace.settings)
    for container in workspace.containers.values():
        for session in container.sessions.values():
            if not session.alive:
                continue
            statements = []
            if sized:
                session.resize(wanted.rows, wanted.columns)
                # The engine passes the size on in its own time, and the next line may ask for it.
                size = f"rows {wanted.rows} cols {wanted.columns}"
                statements.append(rf"\command stty {size} </dev/tty 2>/dev/null || :")
            for name, value in _variables(workspace.settings, variables).items():
                statements.append(f"{name}={shlex.quote(value)}; {{own}} export {name}")
            if not _done(session, statements) and variables:
                words = " and ".join(sorted(variables))
                tell(
                    f"{words} of session {session.name} in {container.name} stays until its next "
                    "shell; set it again when the session is at its prompt"
                )


def _variables(settings: Settings, names: Collection[str]) -> dict[str, str]:
    found = {}
    if "term" in names:
        found["TERM"] = str(settings.known("term"))
    if "pager" in names:
        found |= dict.fromkeys(PAGERS, str(settings.known("pager")))
    return found


def _done(session: ShellSession, statements: list[str]) -> bool:
    try:
        session.wait_ready()
        return run_aside(session, "\n".join(statements))[0] == 0
    except CtrKernelError:
        return False
