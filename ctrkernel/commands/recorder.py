"""Which shell is recorded at the moment, and into what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.container import MAIN

if TYPE_CHECKING:
    from ctrkernel.commands.workspace import Workspace
    from ctrkernel.session.cast import Cast
    from ctrkernel.session.shell import ShellSession


class Recorder:
    """Passes on what happens in the shell that is recorded; nothing where none is.

    Args:
        workspace: Which container is the attached one.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._name = MAIN
        self.cast: Cast | None = None

    def start(self, cast: Cast, name: str) -> None:
        """Record the session `name` of the container that is attached at each moment."""
        self.cast, self._name = cast, name

    def stop(self) -> None:
        """End the recording, if there is one."""
        cast, self.cast = self.cast, None
        if cast is not None:
            cast.close()

    def began(self, session: ShellSession, code: str) -> None:
        """Record code."""
        cast = self._cast(session)
        if cast is not None:
            # Another container's terminal may have another size.
            cast.size(session.columns, session.rows)
            cast.code(code)

    def shown(self, session: ShellSession, text: str) -> None:
        """Record output."""
        cast = self._cast(session)
        if cast is not None:
            cast.output(text)

    def resized(self, session: ShellSession) -> None:
        """Record a size."""
        cast = self._cast(session)
        if cast is not None:
            cast.size(session.columns, session.rows)

    def _cast(self, session: ShellSession) -> Cast | None:
        cast = self.cast
        if cast is None or session.name != self._name:
            return None
        return cast if session.container == self._workspace.target else None
