"""A container's life as methods, for :class:`ctrkernel.Container`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ctrkernel.engine import lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine


class Living:
    """Something with an engine and a container's name.

    Attributes:
        engine: The engine's command line.
        name: The container's name or id.
    """

    engine: Engine
    name: str

    def _end_shells(self) -> None:
        """End what of ours runs in it; called before it stops."""

    def _started(self, info: ContainerInfo) -> None:
        """It was started again."""

    def _removed(self) -> None:
        """It is gone."""

    def _quit(self, cancelled: Callable[[], bool] | None) -> None:
        # Frozen shells cannot end.
        if self.status().state == "paused":
            lifecycle.unpause(self.engine, self.name, cancelled=cancelled)
        self._end_shells()

    def status(self) -> ContainerInfo:
        """Return what the engine says of the container now.

        Raises:
            ContainerNotFound: It is gone.
        """
        return self.engine.inspect(self.name)

    def start(self, *, cancelled: Callable[[], bool] | None = None) -> str:
        """Start it if it is stopped; return a line that says what came of it.

        Raises:
            ContainerNotRunning: It is paused, or cannot be started.
            EngineError: The engine could not start it.
        """
        before = self.status()
        info, line = lifecycle.start(self.engine, self.name, cancelled=cancelled)
        if info.started != before.started:
            self._started(info)
        return line

    def stop(
        self,
        timeout: int = lifecycle.STOP_TIMEOUT,
        *,
        kill: bool = False,
        cancelled: Callable[[], bool] | None = None,
    ) -> str:
        """End its shells and stop it; return a line that says what came of it.

        Args:
            timeout: Whole seconds after which it is killed.
            kill: Kill it at once.
            cancelled: Asked now and then; the engine may go on stopping it.
        """
        self._quit(cancelled)
        return lifecycle.stop(
            self.engine, self.name, timeout=timeout, kill=kill, cancelled=cancelled
        )[1]

    def restart(
        self,
        timeout: int = lifecycle.STOP_TIMEOUT,
        *,
        cancelled: Callable[[], bool] | None = None,
    ) -> str:
        """End its shells, stop it and start it; return a line that says what came of it.

        Args:
            timeout: Whole seconds after which it is killed.
            cancelled: Asked now and then; the engine may go on with it.
        """
        self._quit(cancelled)
        info, line = lifecycle.restart(self.engine, self.name, timeout=timeout, cancelled=cancelled)
        self._started(info)
        return line

    def pause(self, *, cancelled: Callable[[], bool] | None = None) -> str:
        """Freeze all that runs in it, its shells too; return a line that says so.

        Raises:
            ContainerNotRunning: It does not run.
        """
        return lifecycle.pause(self.engine, self.name, cancelled=cancelled)[1]

    def unpause(self, *, cancelled: Callable[[], bool] | None = None) -> str:
        """Let it go on; return a line that says so.

        Raises:
            ContainerNotRunning: It does not run.
        """
        return lifecycle.unpause(self.engine, self.name, cancelled=cancelled)[1]

    def remove(
        self,
        *,
        force: bool = False,
        volumes: bool = False,
        cancelled: Callable[[], bool] | None = None,
    ) -> str:
        """Remove it; return a line that says so.

        Args:
            force: Kill it first if it runs.
            volumes: Remove its anonymous volumes too.
            cancelled: Asked now and then; the engine may go on with it.

        Raises:
            EngineError: It runs, and `force` is not given.
        """
        lifecycle.require_removable(self.status(), force=force)
        self._quit(cancelled)
        line = lifecycle.remove(
            self.engine, self.name, force=force, volumes=volumes, cancelled=cancelled
        )[1]
        self._removed()
        return line

    def logs(
        self,
        *,
        tail: int | None = None,
        since: str | None = None,
        follow: bool = False,
        on_output: Callable[[str, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> str:
        """Return what its main process has printed, both outputs in order.

        Args:
            tail: Only that many of the last lines.
            since: Only what came since then: ``10m``, or a moment in RFC 3339's form.
            follow: Wait for more, until it ends.
            on_output: Called with ``stdout`` or ``stderr`` and text; nothing is returned then.
            cancelled: Asked now and then; true ends it.

        Raises:
            UsageError: `tail` or `since` cannot be what it should be.
            CommandInterrupted: `cancelled` said so.
        """
        from ctrkernel.engine.logs import logs  # noqa: PLC0415 - a shell needs no logs

        pieces: list[str] = []
        logs(
            self.engine,
            self.name,
            on_output=on_output or (lambda _, text: pieces.append(text)),
            tail=tail,
            since=since,
            follow=follow,
            cancelled=cancelled,
        )
        return "".join(pieces)

    def inspect(self, path: str = "") -> Any:
        """Return what the engine's inspect document says at a dotted path; all for an empty one.

        Raises:
            UsageError: There is no such path; the message names what is there.
        """
        from ctrkernel.engine.document import at_path  # noqa: PLC0415 - as above

        return at_path(self.engine.document(self.name), path)

    def commit(self, tag: str, *, message: str | None = None) -> str:
        """Make an image of it and return the image's id.

        Args:
            tag: What the image is called.
            message: What to write into its history.
        """
        from ctrkernel.engine.images import commit  # noqa: PLC0415 - as above

        return commit(self.engine, self.name, tag, message=message)
