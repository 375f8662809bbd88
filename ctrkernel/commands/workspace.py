"""What a notebook is attached to: an engine, a container, a shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ctrkernel.engine.engine import Engine, find_engine
from ctrkernel.errors import CtrKernelError, NoTarget, name_list
from ctrkernel.session.shell import ShellSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ctrkernel.engine.container import ContainerInfo


class Workspace:
    """The container that cells and commands work in; none at first.

    Args:
        environ: ``CTRKERNEL_TARGET``, ``CTRKERNEL_SHELL``, ``CTRKERNEL_ENGINE`` are read from it.
        on_late: Called, in the session's thread, with output that belongs to no running cell.
    """

    def __init__(
        self, environ: Mapping[str, str], *, on_late: Callable[[str], None] | None = None
    ) -> None:
        self._environ = environ
        self.on_late = on_late
        self._engine: Engine | None = None
        self.target = environ.get("CTRKERNEL_TARGET", "")
        self.on_notice: Callable[[str], None] | None = None
        self.session: ShellSession | None = None
        self._opening: ShellSession | None = None
        self._lost: tuple[int, str | None] | None = None

    @property
    def engine(self) -> Engine:
        """The engine; raises EngineNotFound or UsageError where there is none."""
        if self._engine is None:
            self._engine = find_engine(self._environ)
        return self._engine

    def begin(self) -> None:
        """Start the target's shell, if a target is set, and do not wait for it.

        What goes wrong is told by :meth:`ready`, to whoever needs the shell.
        """
        if not self.target:
            return
        try:
            self._open()
        except CtrKernelError:
            self.session = None

    def attach(self, target: str) -> ContainerInfo:
        """Leave the present container, if any, and start a shell in `target`.

        Raises:
            TargetError: It cannot be used; the present attachment stays.
        """
        container = self.engine.require_running(self.engine.inspect(target))
        session = self._new_session(container.name)
        session.open()
        try:
            session.wait_ready()
        except BaseException:
            session.close(wait=False)
            raise
        self.close(wait=False)
        self.target, self.session, self._lost = container.name, session, None
        return container

    def ready(self) -> tuple[ShellSession, str]:
        """Return a shell at its prompt, and a line to show if it is a new one.

        Raises:
            NoTarget: No container was named.
            TargetError: The container cannot be used.
            ShellStartFailed: Its shell does not come to a prompt.
        """
        session = self.session
        if session is not None and session.alive:
            session.wait_ready()
            return session, ""
        if not self.target:
            raise NoTarget(self._no_target())
        if session is not None and session.exit_status is not None:
            self._lost = session.exit_status, session.cwd
        self.close(wait=False)
        opened = self._open()
        opened.wait_ready()
        if self._lost is None:
            return opened, ""
        (status, cwd), self._lost = self._lost, None
        moved = cwd is None or opened.run(f"cd -- {shlex.quote(cwd)} 2>/dev/null").ok
        notice = f"new shell in {opened.cwd or '/'}; the last one ended with exit status {status}"
        return opened, notice if moved else f"{notice}, and its directory {cwd} is gone"

    def abandon(self) -> None:
        """Stop waiting for a shell that has not come to its first prompt, if there is one."""
        session = self._opening
        if session is not None:
            session.abandon()

    def container(self) -> ContainerInfo:
        """Return the container as it is now.

        Raises:
            NoTarget: No container was named.
            ContainerNotFound: It is gone.
        """
        if not self.target:
            raise NoTarget(self._no_target())
        return self.engine.inspect(self.target)

    def close(self, *, wait: bool = True) -> None:
        """End the shell."""
        session, self.session = self.session, None
        if session is not None:
            session.close(wait=wait)

    def _open(self) -> ShellSession:
        session = self._new_session(self.target)
        session.open()
        self.session = session
        return session

    def _new_session(self, container: str) -> ShellSession:
        self._opening = ShellSession(
            self.engine,
            container,
            shell=self._environ.get("CTRKERNEL_SHELL"),
            on_late=self._late,
            on_notice=self._notice,
        )
        return self._opening

    def _late(self, text: str) -> None:
        if self.on_late is not None:
            self.on_late(text)

    def _notice(self, line: str) -> None:
        if self.on_notice is not None:
            self.on_notice(line)

    def _no_target(self) -> str:
        running = [container.name for container in self.engine.running()]
        if not running:
            return (
                "no container is attached and none is running; start one "
                f"(`{self.engine.name} run -d --name web debian sleep infinity`) "
                "and type %ctr_attach web"
            )
        return (
            f"no container is attached; running: {name_list(running)}; "
            f"type %ctr_attach {running[0]}"
        )
