"""What a notebook is attached to: an engine, a container, and others that were named."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ctrkernel.commands.overflow import overflow_folder
from ctrkernel.commands.recorder import Recorder
from ctrkernel.commands.settings import Settings
from ctrkernel.commands.whereabouts import Scout
from ctrkernel.container import MAIN, Container
from ctrkernel.engine.engine import Engine, find_engine
from ctrkernel.errors import CtrKernelError, NoTarget, TargetError, name_list
from ctrkernel.session.mask import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.create import RunSpec
    from ctrkernel.engine.ownership import Ownership
    from ctrkernel.engine.transcript import TranscriptFolder
    from ctrkernel.session.launcher import Screen
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
        #: What the person set for this notebook.
        self.settings = Settings(environ)
        #: Where output goes that is too long for a notebook.
        self.overflow_folder = overflow_folder(environ)
        self.on_late = on_late
        self.on_notice: Callable[[str], None] | None = None
        #: Records the shell while that is wanted.
        self.recorder = Recorder(self)
        #: Knows which container, image and user shells run in.
        self.scout = Scout()
        #: Takes secrets out of all that is shown, whatever container it comes from.
        self.mask = Mask()
        self._engine: Engine | None = None
        self._lock = threading.RLock()
        #: The name of the container that is meant where none is named; empty for none.
        self.target = environ.get("CTRKERNEL_TARGET", "")
        self._containers: dict[str, Container] = {}
        #: Those that were made here; they go when the notebook ends, unless they are to be kept.
        self._made: dict[str, Container] = {}
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

    @property
    def here(self) -> str:
        """One line that says where cells run, as far as that is known without asking anybody."""
        session = self.session
        if session is None:
            return "no container is attached; type %ctr_attach CONTAINER, or %ctr_run IMAGE"
        known = self.scout.known(session)
        words = {
            "container": known.container if known else session.container,
            "image": known.image if known else "",
            "shell": session.shell,
            "user": known.user if known else "",
            "directory": session.cwd or (known.directory if known else ""),
        }
        return self.mask.hide(" · ".join(f"{name} {word}" for name, word in words.items() if word))

    def begin(self) -> None:
        """Start the target's shell, if a target is set, and do not wait for it.

        What goes wrong is told by :meth:`ready`, to whoever needs the shell.
        """
        if not self.target:
            return
        try:
            self.scout.ask(self._own(self.target).open())
        except CtrKernelError:
            self._containers.pop(self.target, None)

    def attach(self, target: str, *, cancelled: Callable[[], bool] | None = None) -> ContainerInfo:
        """Leave the present container, if any, and start a shell in `target`.

        Args:
            target: A name or id.
            cancelled: Whether the person has changed their mind; :meth:`abandon` ends a wait.

        Raises:
            TargetError: It cannot be used; the present attachment stays.
            CommandInterrupted: `cancelled` said so; the present attachment stays.
        """
        info = self.engine.require_running(self.engine.inspect(target))
        container = self._own(info.name)
        try:
            container.fresh(cancelled=cancelled)
        except BaseException:
            if not container.sessions:
                self._leave(info.name)
            raise
        previous, self.target = self.target, info.name
        if previous != info.name:
            self._leave(previous)
        return info

    def run(
        self,
        spec: RunSpec,
        *,
        keep: bool = False,
        log_dir: str | None = None,
        attach: bool = True,
        on_line: Callable[[str], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Container:
        """Make a container, and with `attach` work in it from now on.

        Args:
            spec: What is wanted.
            keep: Leave it when the notebook ends.
            log_dir: A folder for transcripts of what it and its shells print.
            attach: Start a shell in it, and leave the present container.
            on_line: Called with each line of a pull's progress.
            on_notice: Called with a line that says what was done in place of what was asked.
            cancelled: Asked now and then; true ends it.

        Raises:
            CtrKernelError: It did not come up; nothing is left, the present attachment stays.
        """
        from ctrkernel.launch.run import bring_up  # noqa: PLC0415 - a shell needs no launch

        tried: list[Container] = []

        def make(
            name: str, ownership: Ownership | None, transcripts: TranscriptFolder | None
        ) -> Container:
            container = self._new(name, ownership, transcripts)
            tried.append(container)
            with self._lock:
                # Here an interrupt finds the shell that is starting.
                self._containers[name] = container
            return container

        try:
            container = bring_up(
                self.engine,
                spec,
                make=make,
                keep=keep,
                log_dir=log_dir,
                enter=attach,
                on_line=on_line,
                on_notice=on_notice,
                cancelled=cancelled,
            )
        except BaseException:
            for each in tried:
                self._containers.pop(each.name, None)
            raise
        with self._lock:
            self._made[container.name] = container
        if attach:
            previous, self.target = self.target, container.name
            self._leave(previous)
        return container

    def forget(self, name: str) -> None:
        """Drop a container that was removed."""
        with self._lock:
            self._containers.pop(name, None)
            self._made.pop(name, None)
            self._names = {word: named for word, named in self._names.items() if named != name}
        if self.target == name:
            self.target = ""

    def detach(self, target: str | None = None) -> str:
        """End the shells in `target`, or in the container that is attached; return its name.

        Raises:
            NoTarget: No shell of ours is there.
        """
        name = self.target if target is None else self._names.get(target, target)
        if target is None and not name:
            raise NoTarget("no container is attached; type %ctr_attach CONTAINER")
        # A command that only looks at a container leaves it here, without a shell.
        held = {key for key, each in self.containers.items() if each.sessions or key == self.target}
        if name not in held:
            used = name_list(sorted(held)) or "none"
            raise NoTarget(f"no shell of ours is in '{name}'; containers that have one: {used}")
        self._leave(name)
        if name == self.target:
            self.target = ""
        return name

    def container(self, target: str | None = None) -> Container:
        """Return `target`, or for None the attached container; nothing is started in it.

        Raises:
            NoTarget: None was named and none is attached.
            TargetError: `target` is not known to the engine.
        """
        if target is None:
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

    def members(self, targets: Sequence[str]) -> tuple[list[Container], dict[str, CtrKernelError]]:
        """Return the containers that `targets` name, each once, and why the others are none.

        Raises:
            EngineError: The engine does not answer.
        """
        with self._lock:
            unknown = [
                each for each in targets if self._names.get(each, each) not in self._containers
            ]
        # One question for all of them: twenty would take twenty times as long.
        infos = self.engine.inspect_all(unknown) if unknown else []
        with self._lock:
            self._names |= {
                each: info.name
                for each in unknown
                for info in infos
                if info.name != each and info.id.startswith(each)
            }
        found: dict[str, Container] = {}
        errors: dict[str, CtrKernelError] = {}
        known = {info.name for info in infos}
        for target in targets:
            name = target if target in known else self._names.get(target, target)
            try:
                container = self._own(name) if name in known else self.container(target)
            except TargetError as error:
                errors[target] = error
            else:
                found[container.name] = container
        return list(found.values()), errors

    def ready(self, session: str = MAIN, *, target: str | None = None) -> tuple[ShellSession, str]:
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
        """End all shells, then the containers that were made here."""
        with self._lock:
            containers, self._containers = self._containers, {}
            made, self._made = self._made, {}
        for container in containers.values():
            container.end_shells(wait=False)
        self.recorder.stop()
        if wait:
            for container in containers.values():
                container.wait_closed()
        for container in made.values():
            container.release()
        for container in made.values():
            container.close(wait=wait)

    def _own(self, name: str) -> Container:
        with self._lock:
            container = self._containers.get(name) or self._made.get(name)
            if container is None:
                container = self._new(name)
            self._containers[name] = container
            return container

    def _new(
        self,
        name: str,
        ownership: Ownership | None = None,
        transcripts: TranscriptFolder | None = None,
    ) -> Container:
        return Container(
            self.engine,
            name,
            shell=self._environ.get("CTRKERNEL_SHELL"),
            on_late=self._late,
            on_notice=self._notice,
            mask=self.mask,
            screen=self._screen,
            witness=self.recorder,
            ownership=ownership,
            transcripts=transcripts,
        )

    def _screen(self) -> Screen:
        from ctrkernel.commands.terminal_settings import screen  # noqa: PLC0415 - a fast start

        return screen(self.settings)

    def _leave(self, name: str) -> None:
        with self._lock:
            container = self._containers.pop(name, None)
        if container is not None:
            container.end_shells(wait=False)

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
                "no container is attached and none is running; "
                "type %ctr_run IMAGE, such as %ctr_run debian"
            )
        return (
            f"no container is attached; running: {name_list(running)}; "
            f"type %ctr_attach {running[0]}"
        )
