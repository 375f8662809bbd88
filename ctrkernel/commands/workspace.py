"""What a notebook is attached to: an engine, a container, and others that were named."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ctrkernel.container import MAIN, Container
from ctrkernel.engine.engine import Engine, find_engine
from ctrkernel.errors import CtrKernelError, NoTarget, name_list

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.session.shell import ShellSession


class Workspace:
    """The container that cells and commands work in, none at first, and others by name.

    Args:
        environ: ``CTRKERNEL_TARGET``, ``CTRKERNEL_SHELL``, ``CTRKERNEL_ENGINE`` are read from it.
        on_late: Called, in the session's thread, with output that belongs to no running cell.
    """

    def __init__(
        self, environ: Mapping[str, str], *, on_late: Callable[[str], None] | None = None
    ) -> None:
        self._environ = environ
        self.on_late = on_late
        self.on_notice: Callable[[str], None] | None = None
        self._engine: Engine | None = None
        self._lock = threading.RLock()
        #: The name of the container that is meant where none is named; empty for none.
        self.target = environ.get("CTRKERNEL_TARGET", "")
        self._containers: dict[str, Container] = {}
        #: What the person calls a container, where that is not its name.
        self._names: dict[str, str] = {}

    @property
    def engine(self) -> Engine:
        """The engine; raises EngineNotFound or UsageError where there is none."""
        if self._engine is None:
            self._engine = find_engine(self._environ)
        return self._engine

    @property
    def containers(self) -> dict[str, Container]:
        """The containers that were used, by name."""
        with self._lock:
            return dict(self._containers)

    @property
    def session(self) -> ShellSession | None:
        """The attached container's main shell, if there is one."""
        container = self._containers.get(self.target)
        return container.sessions.get(MAIN) if container is not None else None

    def begin(self) -> None:
        """Start the target's shell, if a target is set, and do not wait for it.

        What goes wrong is told by :meth:`ready`, to whoever needs the shell.
        """
        if not self.target:
            return
        try:
            self._own(self.target).open()
        except CtrKernelError:
            self._containers.pop(self.target, None)

    def attach(self, target: str) -> ContainerInfo:
        """Leave the present container, if any, and start a shell in `target`.

        Raises:
            TargetError: It cannot be used; the present attachment stays.
        """
        info = self.engine.require_running(self.engine.inspect(target))
        container = self._own(info.name)
        try:
            container.fresh()
        except BaseException:
            if not container.sessions:
                self._leave(info.name)
            raise
        previous, self.target = self.target, info.name
        if previous != info.name:
            self._leave(previous)
        return info

    def detach(self, target: str = "") -> str:
        """End the shells in `target`, or in the container that is attached; return its name.

        Raises:
            NoTarget: No shell of ours is there.
        """
        name = self._names.get(target, target) or self.target
        if name not in self._containers:
            if not name:
                raise NoTarget("no container is attached; type %ctr_attach CONTAINER")
            used = name_list(list(self.containers)) or "none"
            raise NoTarget(f"no shell of ours is in '{name}'; containers that have one: {used}")
        self._leave(name)
        if name == self.target:
            self.target = ""
        return name

    def container(self, target: str = "") -> Container:
        """Return `target`, or the container that is attached; nothing is started in it.

        Raises:
            NoTarget: None was named and none is attached.
            TargetError: `target` is not known to the engine.
        """
        if not target:
            if not self.target:
                raise NoTarget(self._no_target())
            return self._own(self.target)
        with self._lock:
            name = self._names.get(target, target)
            if name in self._containers:
                return self._containers[name]
        name = self.engine.inspect(target).name
        with self._lock:
            self._names[target] = name
        return self._own(name)

    def ready(self, session: str = MAIN, *, target: str = "") -> tuple[ShellSession, str]:
        """Return a shell at its prompt, and a line to show if it replaces one that ended.

        Raises:
            NoTarget: No container was named.
            TargetError: The container cannot be used.
            ShellStartFailed: Its shell does not come to a prompt.
        """
        return self.container(target).ready(session)

    def abandon(self) -> None:
        """Stop waiting for shells that have not come to their first prompt."""
        for container in self.containers.values():
            container.abandon()

    def close(self, *, wait: bool = True) -> None:
        """End all shells."""
        with self._lock:
            containers, self._containers = self._containers, {}
        for container in containers.values():
            container.close(wait=False)
        if wait:
            for container in containers.values():
                container.wait_closed()

    def _own(self, name: str) -> Container:
        with self._lock:
            container = self._containers.get(name)
            if container is None:
                container = Container(
                    self.engine,
                    name,
                    shell=self._environ.get("CTRKERNEL_SHELL"),
                    on_late=self._late,
                    on_notice=self._notice,
                )
                self._containers[name] = container
            return container

    def _leave(self, name: str) -> None:
        with self._lock:
            container = self._containers.pop(name, None)
        if container is not None:
            container.close(wait=False)

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
