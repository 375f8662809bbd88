"""Why an engine does not answer: asked of it and of its socket, not read out of messages."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

from ctrkernel.engine.process import OutputTooLong, Stalled, run_process
from ctrkernel.errors import EngineUnreachable, one_line

if TYPE_CHECKING:
    from ctrkernel.engine.engine import Engine

#: Seconds the engine may take to tell its version; a first connection over ssh needs several.
PROBE_TIMEOUT = 15.0
#: Seconds for a local socket to take a connection.
CONNECT_TIMEOUT = 2.0


def unreachable(engine: Engine) -> EngineUnreachable | None:
    """Probe `engine`: None if it answers, else the error that says why and what to type."""
    # Podman's client has a server of its own only when remote; `info` asks whichever it uses.
    probe = (
        engine.command("info", "--format", "{{.Host.Arch}}")
        if engine.name == "podman"
        else engine.command("version", "--format", "{{.Server.Version}}")
    )
    try:
        done = run_process(probe, timeout=PROBE_TIMEOUT)
    except Stalled:
        return EngineUnreachable(
            f"{engine.name} did not answer within {PROBE_TIMEOUT:g} s; "
            f"see what `{engine.name} info` says"
        )
    if done.exit_code == 0:
        return None
    if engine.name == "podman":
        return EngineUnreachable(
            f"podman does not work: {one_line(done.message, limit=160)}; "
            "see what `podman info` says"
        )
    return EngineUnreachable(_docker_reason(engine, done.message))


def _docker_reason(engine: Engine, said: str) -> str:
    endpoint = _docker_endpoint(engine)
    if not endpoint.startswith("unix://"):
        return (
            f"the Docker engine at {endpoint or 'its endpoint'} does not answer: "
            f"{one_line(said, limit=160)}; check DOCKER_HOST and `docker context ls`"
        )
    path = endpoint.removeprefix("unix://")
    match _connect_errno(path):
        case errno.EACCES | errno.EPERM:
            return (
                f"you may not use the Docker socket {path}; type "
                "`sudo usermod -aG docker $USER`, log in again and restart the notebook server"
            )
        case errno.ENOENT | errno.ENOTDIR:
            why = "there is no such socket"
        case errno.ECONNREFUSED:
            why = "nothing listens on it"
        case None:
            why = f"it does not answer ({one_line(said, limit=120)})"
        case number:
            why = os.strerror(number)
    return (
        f"no Docker engine at {path}: {why}; "
        "start it with `sudo systemctl start docker`, or set DOCKER_HOST"
    )


def _docker_endpoint(engine: Engine) -> str:
    """The endpoint the CLI uses: DOCKER_HOST and contexts are its rules, so it is asked."""
    argv = engine.command("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    try:
        return run_process(argv, timeout=PROBE_TIMEOUT).stdout.decode(errors="replace").strip()
    except (Stalled, OutputTooLong):
        return ""


def _connect_errno(path: str) -> int | None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CONNECT_TIMEOUT)
        try:
            connection.connect(path)
        except TimeoutError:
            return errno.ETIMEDOUT
        except OSError as error:
            return error.errno or errno.EIO
    return None
