"""The container engine, driven through its own command line.

The CLI and not an SDK: it honours contexts, ``DOCKER_HOST=ssh://…``, TLS, rootless engines and
Podman without a service, and it costs the kernel neither import time nor memory.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctrkernel.engine.container import ContainerInfo, not_running, parse_inspect
from ctrkernel.engine.process import Completed, OutputTooLong, Stalled, run_process
from ctrkernel.engine.processes import (
    DOCKER_COLUMNS,
    PODMAN_COLUMNS,
    Process,
    parse_docker_top,
    parse_podman_top,
)
from ctrkernel.engine.raw_words import passable
from ctrkernel.engine.reachable import unreachable
from ctrkernel.engine.streams import stream_process
from ctrkernel.engine.target import check_target, is_name, meant
from ctrkernel.errors import (
    ContainerNotFound,
    EngineError,
    EngineNotFound,
    TargetError,
    UsageError,
    one_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: The engines that we speak to, in the order in which they are looked for.
ENGINES = ("docker", "podman")
#: Seconds for a question that the engine answers from its own books; generous for ssh hosts.
ANSWER_TIMEOUT = 30.0
#: Environment names that may be passed; ``=`` in one would change its meaning.
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: What the engine's `ps` lists without `--all`.
_LISTED_STATES = frozenset({"running", "paused", "restarting"})


def find_engine(environ: Mapping[str, str]) -> Engine:
    """Choose the engine: ``CTRKERNEL_ENGINE``, else docker, else podman; runs no process.

    Args:
        environ: The environment; ``PATH`` is taken from it too.

    Raises:
        UsageError: ``CTRKERNEL_ENGINE`` is none of the choices.
        EngineNotFound: No engine is installed, or not the one that was asked for.
    """
    path = environ.get("PATH")
    asked = environ.get("CTRKERNEL_ENGINE", "")
    if not asked:
        for name in ENGINES:
            program = shutil.which(name, path=path)
            if program is not None:
                return Engine(program=program, name=name)
        raise EngineNotFound(
            "no container engine is installed; install Docker or Podman "
            "(`sudo apt install docker.io`), or set CTRKERNEL_ENGINE to the path of its program"
        )
    base = Path(asked).name
    names = [name for name in ENGINES if base == name or base.startswith((f"{name}-", f"{name}."))]
    if not names:
        raise UsageError(
            f"CTRKERNEL_ENGINE={one_line(asked, limit=80)} is no engine; set it to docker, podman, "
            "or the path of one of these programs"
        )
    program = shutil.which(str(Path(asked).expanduser()) if "/" in asked else asked, path=path)
    if program is None:
        raise EngineNotFound(
            f"CTRKERNEL_ENGINE={one_line(asked, limit=80)} is not installed; install it, "
            "or unset CTRKERNEL_ENGINE to use the engine that is"
        )
    return Engine(program=program, name=names[0])


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine's command line.

    Args:
        program: The path of its program.
        name: ``docker`` or ``podman``: whose dialect it speaks, and what a person types.
    """

    program: str
    name: str

    def command(self, *args: str) -> list[str]:
        """Return the argv that runs the engine's CLI with `args`."""
        return [self.program, *args]

    def exec_argv(
        self,
        container: str,
        argv: Sequence[str],
        *,
        tty: bool = False,
        interactive: bool = False,
        env: Mapping[str, str] | None = None,
        env_names: Sequence[str] = (),
        workdir: str | None = None,
        user: str | None = None,
        detach_keys: str | None = None,
    ) -> list[str]:
        """Return the argv that runs `argv` in `container`.

        Args:
            container: An id or a name.
            argv: The command and its arguments; none of them is taken as an option of the engine.
            tty: Give it a terminal.
            interactive: Pass stdin on.
            env: Variables whose values may stand on argv, where every user of the host sees them.
            env_names: Variables whose values the CLI takes from its own environment: for secrets,
                given to :meth:`run` as ``environ``.
            workdir: An absolute path in the container.
            user: A name or uid, with or without a group.
            detach_keys: The keys that detach the client, in the engine's notation.

        Raises:
            UsageError: A variable's name is no name.
        """
        check_target(container)
        options = []
        if interactive:
            options.append("--interactive")
        if tty:
            options.append("--tty")
        if detach_keys is not None:
            options.append(f"--detach-keys={detach_keys}")
        if workdir is not None:
            options.append(f"--workdir={workdir}")
        if user is not None:
            options.append(f"--user={user}")
        for name in (*(env or {}), *env_names):
            if not _ENV_NAME.fullmatch(name):
                raise UsageError(
                    f"{one_line(name, limit=80)!r} is no name for a variable; "
                    "use letters, digits and _"
                )
        options += [f"--env={name}={value}" for name, value in (env or {}).items()]
        options += [f"--env={name}" for name in env_names]
        return self.command("exec", *options, container, *passable(argv))

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,  # noqa: A002 - subprocess's word
        environ: Mapping[str, str] | None = None,
        cancelled: Callable[[], bool] | None = None,
        inherit: Sequence[int] = (),
    ) -> Completed:
        """Run the engine's CLI to its end; a status other than 0 is returned, not raised.

        Args:
            args: What follows the program.
            timeout: Seconds.
            input: What it reads on stdin.
            environ: Variables added to its environment.
            cancelled: Asked now and then; true ends the CLI and raises ``process.Cancelled``.
            inherit: Descriptors that stay open in it.

        Raises:
            EngineNotFound: The program is gone or cannot be run.
            EngineUnreachable: It failed, and a probe shows that the daemon does not answer.
            EngineError: It took longer than `timeout`, or printed too much.
        """
        argv = self.command(*args)
        try:
            done = run_process(
                argv,
                timeout=timeout,
                input=input,
                environ=environ,
                cancelled=cancelled,
                inherit=inherit,
            )
        except OSError as error:
            raise self._failed_to_run(args, error, timeout) from error
        except OutputTooLong as error:
            raise EngineError(f"`{self._shown(args)}` printed too much; narrow it down") from error
        if done.exit_code != 0:
            failure = unreachable(self)
            if failure is not None:
                raise failure
        return done

    def stream(
        self,
        args: Sequence[str],
        *,
        on_output: Callable[[str, bytes], None],
        timeout: float | None = None,
        input: bytes | None = None,  # noqa: A002 - subprocess's word
        environ: Mapping[str, str] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> int:
        """Run the engine's CLI, hand on what it prints as it comes, and return its status.

        Args:
            args: What follows the program.
            on_output: Called with ``stdout`` or ``stderr`` and bytes.
            timeout: Seconds for all of it; None for no limit.
            input: What it reads on stdin.
            environ: Variables added to its environment.
            cancelled: Asked now and then; true ends the CLI and raises ``process.Cancelled``.

        Raises:
            EngineNotFound: The program is gone or cannot be run.
            EngineError: It took longer than `timeout`.
        """
        try:
            return stream_process(
                self.command(*args),
                on_output=on_output,
                timeout=timeout,
                input=input,
                environ=environ,
                cancelled=cancelled,
            )
        except OSError as error:
            raise self._failed_to_run(args, error, timeout) from error

    def inspect(self, target: str) -> ContainerInfo:
        """Return what the engine knows of the container named `target`.

        Args:
            target: A name, an id, the unique beginning of an id, or a compose service that has
                one container: ``service`` or ``project/service``.

        Raises:
            ContainerNotFound: No container is called that, or it can be no container's name.
            ContainerAmbiguous: Several ids begin so, or the service has several containers.
            EngineUnreachable: The daemon does not answer.
        """
        return parse_inspect(self.document(target))

    def document(self, target: str) -> dict[str, Any]:
        """Return all that the engine tells of the container named `target`, in its own words.

        Raises:
            ContainerNotFound, ContainerAmbiguous, EngineUnreachable: As :meth:`inspect`.
        """
        if is_name(target):
            done = self.run(["container", "inspect", target], timeout=ANSWER_TIMEOUT)
            documents = _documents(done.stdout) if done.exit_code == 0 else []
            if documents:
                return documents[0]
        return self.document(meant(self, target).name)

    def inspect_all(self, targets: Sequence[str]) -> list[ContainerInfo]:
        """Return what the engine knows of those of `targets` that it finds; one question for all.

        Raises:
            EngineUnreachable: The daemon does not answer.
        """
        names = [target for target in targets if is_name(target)]
        if not names:
            return []
        # One that is not there makes the status 1; the others are printed.
        done = self.run(["container", "inspect", *names], timeout=ANSWER_TIMEOUT)
        return [parse_inspect(document) for document in _documents(done.stdout)]

    def containers(self, *, all: bool = False) -> list[ContainerInfo]:  # noqa: A002 - the CLI's word
        """List the running containers, or `all` of them, the newest first.

        Raises:
            EngineUnreachable: The daemon does not answer.
            EngineError: It answers with an error.
        """
        listing = ["ps", "--quiet", "--no-trunc", *(["--all"] if all else [])]
        done = self.run(listing, timeout=ANSWER_TIMEOUT)
        if done.exit_code != 0:
            raise EngineError(
                f"`{self._shown(listing)}` failed: {one_line(done.message)}; "
                f"see what `{self.name} info` says"
            )
        ids = done.stdout.decode().split()
        if not ids:
            return []
        # A container that went away since the listing makes the status 1; the others are printed.
        inspected = self.run(["container", "inspect", *ids], timeout=ANSWER_TIMEOUT)
        found = [parse_inspect(document) for document in _documents(inspected.stdout)]
        return [info for info in found if all or info.state in _LISTED_STATES]

    def running(self) -> list[ContainerInfo]:
        """List the containers that a shell can be started in."""
        return [info for info in self.containers() if info.running]

    def require_running(self, info: ContainerInfo) -> ContainerInfo:
        """Return `info` if an exec can start in it.

        Raises:
            ContainerNotRunning: It cannot; the message says what to type.
        """
        failure = not_running(info, self.name)
        if failure is not None:
            raise failure
        return info

    def diagnose(self, target: str) -> TargetError | None:
        """Say what is wrong with the container named `target`; None if nothing is.

        Raises:
            EngineUnreachable: The daemon does not answer.
        """
        try:
            info = self.inspect(target)
        except TargetError as error:
            return error
        if target != info.name and not info.id.startswith(target):
            return ContainerNotFound(
                f"no container '{target}'; the compose service of that name is {info.name}",
                asked=target,
                nearest=info.name,
            )
        return not_running(info, self.name)

    def processes(self, container: str) -> list[Process]:
        """List the processes of `container`; see :mod:`ctrkernel.engine.processes` for the limits.

        Returns:
            An empty list if the container does not run or the engine's ``ps`` cannot tell.
        """
        check_target(container)
        if self.name == "podman":
            done = self.run(["top", container, ",".join(PODMAN_COLUMNS)], timeout=ANSWER_TIMEOUT)
            return parse_podman_top(done.stdout.decode(errors="replace"))
        columns = ",".join(DOCKER_COLUMNS)
        done = self.run(["top", container, "-eo", columns], timeout=ANSWER_TIMEOUT)
        return parse_docker_top(done.stdout.decode(errors="replace"))

    def _failed_to_run(
        self, args: Sequence[str], error: OSError, timeout: float | None
    ) -> EngineError:
        if isinstance(error, Stalled):
            return EngineError(
                f"`{self._shown(args)}` took longer than {timeout:g} s; "
                f"see what `{self.name} info` says"
            )
        return EngineNotFound(
            f"{self.program} cannot be run: {error.strerror}; reinstall it or set CTRKERNEL_ENGINE"
        )

    def _shown(self, args: Sequence[str]) -> str:
        return one_line(" ".join([self.name, *args[:2]]), limit=80)


def _documents(printed: bytes) -> list[dict[str, Any]]:
    try:
        documents = json.loads(printed or b"[]")
    except ValueError as error:
        raise EngineError(
            "the engine's answer to `inspect` is not JSON; check that CTRKERNEL_ENGINE is an engine"
        ) from error
    return [document for document in documents or [] if isinstance(document, dict)]
