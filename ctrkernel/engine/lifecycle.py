"""Start, stop, pause and remove: what is asked, what state allows it, and what to type if not.

Each returns the line that says what came of it. A container that is already as it was asked to be
is no error; the line says so. States are looked at before and after, messages of the engine are
only passed on (Engine API, ``ContainerStart`` and so on).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.engine.process import Cancelled
from ctrkernel.errors import (
    CommandInterrupted,
    ContainerNotFound,
    ContainerNotRunning,
    EngineError,
    one_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.engine.process import Completed

#: Seconds for the engine to start or remove a container: mounts and networks on a busy host.
WORK_TIMEOUT = 120.0
#: Seconds a container has to end by itself when it is stopped: the engines' own default.
STOP_TIMEOUT = 10
#: States in which a container has a main process.
_LIVE = frozenset({"running", "paused", "restarting"})
#: What the engines put before the reason of a failure.
_PREFIXES = ("Error response from daemon: ", "Error: ", "docker: ")


def start(
    engine: Engine, target: str, *, cancelled: Callable[[], bool] | None = None
) -> tuple[ContainerInfo, str]:
    """Start a container that is stopped; return it as it is then, and a line that says so.

    Raises:
        TargetError: There is none, or its state does not allow it.
        EngineError: The engine could not start it, for instance because a port is taken.
    """
    info = engine.inspect(target)
    match info.state:
        case "running" | "restarting":
            return info, f"{info.name} is already {info.state}"
        case "paused":
            raise ContainerNotRunning(
                f"container {info.name} is paused; type %ctr_unpause {info.name}"
            )
        case "removing" | "dead":
            engine.require_running(info)
    _do(engine, ["start", info.id], info, "started", cancelled=cancelled)
    return engine.inspect(info.id), f"started {info.name}"


def stop(
    engine: Engine,
    target: str,
    *,
    timeout: int = STOP_TIMEOUT,
    kill: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[ContainerInfo, str]:
    """Stop a container: its own stop signal, and SIGKILL after `timeout` seconds.

    Args:
        engine: The engine's command line.
        target: A name or an id.
        timeout: Whole seconds.
        kill: SIGKILL at once.
        cancelled: Asked now and then; the engine may go on stopping it.
    """
    info = engine.inspect(target)
    if info.state not in _LIVE:
        return info, f"{info.name} is already stopped"
    if info.state == "paused":
        # A frozen process takes no signal, and Podman refuses.
        _do(engine, ["unpause", info.id], info, "unpaused")
    words = ["kill", info.id] if kill else ["stop", f"--time={timeout}", info.id]
    _do(engine, words, info, "stopped", timeout=WORK_TIMEOUT + timeout, cancelled=cancelled)
    if kill:
        # `kill` returns when the signal is sent.
        _do(engine, ["wait", info.id], info, "stopped", cancelled=cancelled)
    after = _gone_or(engine, info)
    return after, f"stopped {info.name} (exit status {after.exit_code})"


def restart(
    engine: Engine,
    target: str,
    *,
    timeout: int = STOP_TIMEOUT,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[ContainerInfo, str]:
    """Stop and start a container; one that is stopped is started."""
    info = engine.inspect(target)
    if info.state == "paused":
        _do(engine, ["unpause", info.id], info, "unpaused")
    elif info.state in ("removing", "dead"):
        engine.require_running(info)
    words = ["restart", f"--time={timeout}", info.id]
    _do(engine, words, info, "restarted", timeout=WORK_TIMEOUT + timeout, cancelled=cancelled)
    return engine.inspect(info.id), f"restarted {info.name}"


def pause(
    engine: Engine, target: str, *, cancelled: Callable[[], bool] | None = None
) -> tuple[ContainerInfo, str]:
    """Freeze all processes of a running container."""
    info = engine.inspect(target)
    if info.state == "paused":
        return info, f"{info.name} is already paused"
    engine.require_running(info)
    _do(engine, ["pause", info.id], info, "paused", cancelled=cancelled)
    return engine.inspect(info.id), f"paused {info.name}; %ctr_unpause {info.name} lets it go on"


def unpause(
    engine: Engine, target: str, *, cancelled: Callable[[], bool] | None = None
) -> tuple[ContainerInfo, str]:
    """Let a paused container go on."""
    info = engine.inspect(target)
    if info.state != "paused":
        engine.require_running(info)
        return info, f"{info.name} is not paused"
    _do(engine, ["unpause", info.id], info, "unpaused", cancelled=cancelled)
    return engine.inspect(info.id), f"{info.name} goes on"


def require_removable(info: ContainerInfo, *, force: bool) -> None:
    """Raise if `info` cannot be removed as it is.

    Raises:
        EngineError: It runs, and `force` is not given.
    """
    if info.state in _LIVE and not force:
        raise EngineError(
            f"container {info.name} is {info.state}; type %ctr_stop {info.name} first, "
            f"or %ctr_rm --force {info.name}"
        )


def remove(
    engine: Engine,
    target: str,
    *,
    force: bool = False,
    volumes: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[ContainerInfo, str]:
    """Remove a container; return it as it was.

    Args:
        engine: The engine's command line.
        target: A name or an id.
        force: Kill it first if it runs.
        volumes: Remove its anonymous volumes too.
        cancelled: Asked now and then; the engine may go on removing it.
    """
    info = engine.inspect(target)
    require_removable(info, force=force)
    words = remove_words(engine, force=force, volumes=volumes)
    _do(engine, [*words, info.id], info, "removed", cancelled=cancelled)
    return info, f"removed {info.name}"


def remove_words(engine: Engine, *, force: bool, volumes: bool) -> list[str]:
    """Return the engine's words that remove the containers named after them."""
    words = ["rm"]
    if force:
        # Podman would ask the container to end, and wait; Docker kills it.
        words += ["--force", *(["--time=0"] if engine.name == "podman" else [])]
    if volumes:
        words.append("--volumes")
    return words


def reason(done: Completed) -> str:
    """Return the line of a failure that says why, without the engine's prefix."""
    return reason_of(done.message)


def reason_of(said: str) -> str:
    """Return the line of what the CLI said on stderr that says why, without its prefix."""
    lines = [line.strip() for line in said.splitlines()]
    # The hint "See 'docker run --help'" and Podman's warnings are no reasons.
    lines = [
        line
        for line in lines
        if line and not line.startswith(("See '", "Run '", "time=", "Usage:", "DEPRECATED"))
    ]
    # The daemon's own words say more than what the CLI says after them.
    daemon = [line for line in lines if line.startswith(_PREFIXES[0])]
    marked = [line for line in lines if line.startswith(_PREFIXES)]
    line = daemon[0] if daemon else (marked or lines or ["it gave no reason"])[-1]
    for prefix in _PREFIXES:
        line = line.removeprefix(prefix)
    return one_line(line.rstrip("."), limit=240)


def _do(
    engine: Engine,
    words: Sequence[str],
    info: ContainerInfo,
    done_word: str,
    *,
    timeout: float = WORK_TIMEOUT,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    try:
        done = engine.run(words, timeout=timeout, cancelled=cancelled)
    except Cancelled as error:
        raise CommandInterrupted(
            f"interrupted; {info.name} may still be {done_word}: type %ctr_status {info.name}"
        ) from error
    if done.exit_code != 0:
        raise EngineError(
            f"container {info.name} could not be {done_word}: {reason(done)}; "
            f"see %ctr_logs {info.name}"
        )


def _gone_or(engine: Engine, info: ContainerInfo) -> ContainerInfo:
    """Return the container as it is now; one made with `--rm` may be gone once it has ended."""
    try:
        return engine.inspect(info.id)
    except ContainerNotFound:
        return info
