"""How a container is made and started, so that nothing is left of one that did not come up."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ctrkernel.engine.engine import ANSWER_TIMEOUT
from ctrkernel.engine.images import (
    base_name,
    check_image,
    has_command,
    image_exists,
    pull,
    safe_name,
)
from ctrkernel.engine.lifecycle import WORK_TIMEOUT, reason
from ctrkernel.engine.logs import read_logs
from ctrkernel.errors import (
    CommandInterrupted,
    ContainerExited,
    CtrKernelError,
    EngineError,
    UsageError,
    one_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.engine.ownership import Ownership

Entered = TypeVar("Entered")

#: When an image is pulled.
PULL = ("missing", "always", "never")
#: Lines of a log that say why a container ended.
LAST_LINES = 10
#: Names that are tried for a container that was given none.
NAMES_TRIED = 1_000
#: A name as the engines take it (Docker's ``RestrictedNamePattern``).
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
#: A variable's name as it can stand in a file of variables.
_VARIABLE = re.compile(r"[^\s=#\0][^\s=\0]*")
#: Bytes of a line in a file of variables: the longest that Docker's CLI reads, with some room.
_LONGEST_LINE = 60_000
#: Keeps a container alive whose own command ends at once, and ends when it is asked to; it waits
#: for an input that stays open, so that it needs no program but the shell.
WAIT = ("sh", "-c", "trap 'exit 0' TERM INT HUP; while read -r _; do :; done")


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What container is wanted; nothing is created by it.

    Args:
        image: The image's name or id.
        command: The command and its arguments; empty for the image's own.
        name: Its name; None for one that is made of the image's.
        env: Variables by name; they never stand on an argv.
        env_files: Files of ``NAME=VALUE`` lines on this machine.
        mounts: As ``--mount`` takes them: ``type=bind,source=data,target=/data``.
        volumes: As ``--volume`` takes them: ``./data:/data:ro``.
        ports: As ``--publish`` takes them: ``8080:80``, ``127.0.0.1::80``.
        workdir: An absolute path in the container.
        user: A name or uid, with or without a group.
        network: The network's name.
        entrypoint: The program in place of the image's.
        labels: ``KEY=VALUE`` each.
        pull: One of :data:`PULL`.
        platform: Such as ``linux/arm64``.
        options: Further options of the engine's ``create``, each one word: ``--memory=1g``.
    """

    image: str
    command: Sequence[str] = ()
    name: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    env_files: Sequence[str] = ()
    mounts: Sequence[str] = ()
    volumes: Sequence[str] = ()
    ports: Sequence[str] = ()
    workdir: str | None = None
    user: str | None = None
    network: str | None = None
    entrypoint: str | None = None
    labels: Sequence[str] = ()
    pull: str = "missing"
    platform: str | None = None
    options: Sequence[str] = ()

    def checked(self) -> RunSpec:
        """Return it if the words can be what they should be.

        Raises:
            UsageError: One cannot.
        """
        check_image(self.image)
        if self.name is not None and not _NAME.fullmatch(self.name):
            raise UsageError(
                f"{one_line(self.name, limit=80)!r} is no name for a container; "
                "use two or more letters, digits, _, . and -, a letter or digit first"
            )
        if self.pull not in PULL:
            raise UsageError(f"{self.pull!r} is no way to pull; use one of {', '.join(PULL)}")
        for name in self.env:
            if not _VARIABLE.fullmatch(name):
                raise UsageError(
                    f"{one_line(name, limit=80)!r} is no name for a variable; type --env NAME=VALUE"
                )
        for path in self.env_files:
            if not Path(path).expanduser().is_file():
                raise UsageError(f"--env-file {one_line(path, limit=120)}: there is no such file")
        return self

    def words(self) -> tuple[list[str], bytes, dict[str, str]]:
        """Return the options of ``create``, what it reads on stdin, and its environment."""
        words = [f"--env-file={Path(path).expanduser()}" for path in self.env_files]
        lines: list[str] = []
        environ: dict[str, str] = {}
        for name, value in self.env.items():
            if not {"\n", "\r"} & set(value) and len(value.encode()) < _LONGEST_LINE:
                lines.append(f"{name}={value}\n")
            elif safe_name(name):
                # A file of variables has one line for each; the CLI's environment has not.
                environ[name] = value
            else:
                raise UsageError(
                    f"the value of {name} is too long or has several lines, and {name} means "
                    "something to the engine's own program; set it in the shell"
                )
        if lines:
            words.append("--env-file=/dev/stdin")
        words += [f"--env={name}" for name in environ]
        words += [f"--mount={_mount(mount)}" for mount in self.mounts]
        words += [f"--volume={_volume(volume)}" for volume in self.volumes]
        words += [f"--publish={port}" for port in self.ports]
        words += [f"--label={label}" for label in self.labels]
        single = {
            "workdir": self.workdir,
            "user": self.user,
            "network": self.network,
            "entrypoint": self.entrypoint,
            "platform": self.platform,
        }
        words += [f"--{key}={value}" for key, value in single.items() if value is not None]
        return [*words, *self.options], "".join(lines).encode(), environ


class Launch:
    """One container on its way up.

    Args:
        engine: The engine's command line.
        spec: What is wanted.
        ownership: Its label is the container's; whoever calls releases it if something fails.
        on_line: Called with each line of a pull's progress.
        on_notice: Called with a line that says what was done in place of what was asked.
        cancelled: Asked now and then; true ends it where nothing is half done.

    Raises:
        UsageError: The words cannot be what they should be.
    """

    def __init__(
        self,
        engine: Engine,
        spec: RunSpec,
        *,
        ownership: Ownership,
        on_line: Callable[[str], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._engine = engine
        self._spec = spec.checked()
        self._ownership = ownership
        self._on_line = on_line
        self._on_notice = on_notice
        self._cancelled = cancelled or (lambda: False)

    def bring_up(self, enter: Callable[[ContainerInfo], Entered]) -> Entered:
        """Create the container, start it, and `enter` it.

        An image whose own command ends at once with status 0 (no program for a server is there,
        only a demonstration or a usage text) is started again with a shell that waits.

        Args:
            enter: Comes to a shell in it, or does nothing.

        Returns:
            What `enter` returns.

        Raises:
            ContainerExited: Its command ended at once.
            EngineError: It could not be pulled, created or started.
            CommandInterrupted: `cancelled` said so.
        """
        self._pull()
        spec = self._spec
        waits = bool(spec.command) or spec.entrypoint is not None
        if not waits and not has_command(self._engine, spec.image):
            waits, spec = True, _waiting(spec)
        while True:
            info = self._start(spec)
            failure: CtrKernelError | None = None
            entered: Entered
            try:
                entered = enter(info)
            except CtrKernelError as error:
                failure = error
            self._check()
            ended = self._ended(info)
            if ended is None:
                if failure is not None:
                    raise failure
                return entered
            if waits or ended.exit_code != 0:
                raise ended.error from failure
            waits = True
            self._remove(info)
            if self._on_notice is not None:
                self._on_notice(
                    f"the command of {spec.image} ended at once; a shell waits in its place"
                )
            spec = _waiting(spec)

    def _check(self) -> None:
        if self._cancelled():
            raise CommandInterrupted(f"interrupted; no container of {self._spec.image} is left")

    def _pull(self) -> None:
        image, how = self._spec.image, self._spec.pull
        if how != "always" and image_exists(self._engine, image):
            return
        if how == "never":
            raise EngineError(
                f"image {image} is not on this machine; type %ctr_run without --pull never, "
                f"or build it: %ctr_build --tag {image} DIR"
            )
        pull(
            self._engine,
            image,
            platform=self._spec.platform,
            on_line=self._on_line,
            cancelled=self._cancelled,
        )

    def _start(self, spec: RunSpec) -> ContainerInfo:
        self._check()
        # In a thread, which is waited for: what interrupts Python must not interrupt this.
        with ThreadPoolExecutor(1, "ctrkernel-create") as thread:
            name = thread.submit(self._create, spec).result()
        self._check()
        done = self._engine.run(["start", name], timeout=WORK_TIMEOUT)
        if done.exit_code != 0:
            raise EngineError(
                f"container {name} could not be started: {reason(done)}; "
                "change the options of %ctr_run and run it again"
            )
        return self._engine.inspect(name)

    def _create(self, spec: RunSpec) -> str:
        """Create the container and return its name.

        The CLI is not interrupted here: the engine would create it all the same, and nobody would
        know. With the image at hand it takes a moment.
        """
        options, text, environ = spec.words()
        options = [
            # Its input stays open, so that an image whose command is a shell or a prompt waits.
            "--interactive",
            "--attach=stdout",
            "--pull=never",
            f"--label={self._ownership.label}",
            *options,
        ]
        taken = names(self._engine)
        for name in _candidates(spec):
            if name in taken:
                if spec.name is not None:
                    raise self._taken(name)
                continue
            words = ["create", f"--name={name}", *options, spec.image, *spec.command]
            done = self._engine.run(
                words,
                timeout=WORK_TIMEOUT,
                input=text or None,
                environ=environ,
                inherit=[self._ownership.life],
            )
            if done.exit_code == 0:
                return name
            # Somebody else may have taken it since we looked.
            taken = names(self._engine)
            if name not in taken:
                raise EngineError(
                    f"no container of {spec.image} could be created: {reason(done)}; "
                    "correct the options of %ctr_run"
                )
            if spec.name is not None:
                raise self._taken(name)
        raise EngineError(f"too many containers are called like {spec.image}; type --name NAME")

    def _taken(self, name: str) -> EngineError:
        info = self._engine.inspect(name)
        enter = "%ctr_attach" if info.running else "%ctr_start --attach"
        return EngineError(
            f"the name {name} is taken by a container of {info.image} ({info.state}); "
            f"type {enter} {name}, or %ctr_rm --force {name}, or another --name"
        )

    def _ended(self, info: ContainerInfo) -> _Ended | None:
        now = self._engine.inspect(info.id)
        if now.state in ("running", "restarting", "paused"):
            return None
        log = read_logs(self._engine, info.id, tail=LAST_LINES)
        lines = log.strip().splitlines()
        said = f" ({one_line(lines[-1], limit=160)})" if lines else ""
        return _Ended(
            now.exit_code,
            ContainerExited(
                f"the container of {now.image} ended at once with exit status {now.exit_code}"
                f"{said}; type %ctr_run {now.image} -- COMMAND that goes on, or look around with "
                f"--entrypoint sh",
                log=log,
            ),
        )

    def _remove(self, info: ContainerInfo) -> None:
        self._engine.run(["rm", "--force", "--volumes", info.id], timeout=WORK_TIMEOUT)


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a container ended that should have gone on."""

    exit_code: int
    error: ContainerExited


def names(engine: Engine) -> set[str]:
    """Return the names of all containers, of any state.

    Raises:
        EngineUnreachable: The daemon does not answer.
    """
    done = engine.run(["ps", "--all", "--format={{.Names}}"], timeout=ANSWER_TIMEOUT)
    return {name for line in done.stdout.decode().split() for name in line.split(",")}


def _candidates(spec: RunSpec) -> list[str]:
    if spec.name is not None:
        return [spec.name]
    base = base_name(spec.image)
    return [base, *(f"{base}-{number}" for number in range(2, NAMES_TRIED))]


def _waiting(spec: RunSpec) -> RunSpec:
    return replace(spec, entrypoint=WAIT[0], command=WAIT[1:])


def _volume(volume: str) -> str:
    """Make the host's path absolute, for not every engine's CLI does."""
    source, colon, rest = volume.partition(":")
    return f"{_host_path(source)}{colon}{rest}" if colon and _is_path(source) else volume


def _mount(mount: str) -> str:
    """Make the host's path of a bind absolute."""
    fields = mount.split(",")
    if "type=bind" in fields:
        for index, each in enumerate(fields):
            key, equals, value = each.partition("=")
            if key in ("source", "src") and equals:
                fields[index] = f"{key}={_host_path(value)}"
    return ",".join(fields)


def _is_path(source: str) -> bool:
    return source.startswith(("./", "../", "~", "/")) or source in (".", "..")


def _host_path(path: str) -> str:
    return str(Path(path).expanduser().absolute())
