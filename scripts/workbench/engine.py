"""The container engine: the one that answers, else one that we install and start."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from workbench import packages
from workbench.names import ENGINE, ENGINE_HOME
from workbench.process import SetupFailed, answer, only_one, query, say, telling_line

#: How long an engine that is up takes to say so, at most.
ANSWER_SECONDS = 30.0

#: A first start lays out the data folder and the bridge; a restart looks at old containers.
START_SECONDS = 90.0

#: Between two questions to a daemon that is starting.
POLL_SECONDS = 0.2

#: dockerd stops its containers first, and gives each of them 15 s.
STOP_SECONDS = 60.0

_PID = ENGINE_HOME / "dockerd.pid"
_LOG = ENGINE_HOME / "dockerd.log"
_EXEC = ENGINE_HOME / "exec"


def answers() -> bool:
    """Whether the engine's command line reaches a daemon."""
    return _refusal() is None


def require() -> None:
    """Raise unless an engine answers.

    Raises:
        SetupFailed: None does; says what to type.
    """
    if refusal := _refusal():
        raise SetupFailed(f"no container engine answers ({refusal}); type: make engine")


def up() -> None:
    """See to it that an engine answers; on Debian and Ubuntu, as root, install and start one.

    Raises:
        SetupFailed: None answers, and we may not or could not start one.
    """
    refusal = _refusal()
    if refusal is None:
        return
    if ENGINE != "docker":
        raise SetupFailed(f"{ENGINE} does not answer ({refusal}); see what `{ENGINE} info` says")
    if not packages.can_install():
        raise SetupFailed(f"no container engine answers ({refusal}); {_what_to_type()}")
    with only_one(ENGINE_HOME / "lock"):
        if answers():
            return
        packages.need("dockerd", "docker.io", "tini", "ca-certificates")
        packages.need("docker", "docker-cli")
        if not answers():  # Installing may have started the distribution's own service.
            _start(_socket())


def down() -> None:
    """End the daemon that we started, if it runs; no other.

    Raises:
        SetupFailed: It would not end.
    """
    pid = _running(_PID, "dockerd")
    if pid is None:
        say("no engine of ours is running")
        return
    say(f"stopping the engine (process {pid})")
    handle = os.pidfd_open(pid)
    try:
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], seconds)[0]:
                return
    finally:
        os.close(handle)
    raise SetupFailed(f"the engine (process {pid}) does not end; see {_LOG}")


def _refusal() -> str | None:
    """Return in one line why no engine answers, or None where one does."""
    try:
        done = query([ENGINE, "ps", "--quiet"], seconds=ANSWER_SECONDS)
    except SetupFailed as e:
        return str(e)
    return telling_line(done.stderr or done.stdout) if done.returncode else None


def _what_to_type() -> str:
    if sys.platform == "darwin":
        return "start Docker Desktop, or type: brew install colima docker && colima start"
    if not shutil.which(ENGINE):
        install = "apt-get install docker.io" if packages.is_debian() else "install Docker Engine"
        return f"as root: {install}, then: usermod -aG docker $USER, and log in again"
    return "as root: systemctl start docker; if it runs: usermod -aG docker $USER, and log in again"


def _socket() -> str:
    """Where the command line looks for its daemon: ``DOCKER_HOST``, or the context in force."""
    contexts = json.loads(answer(["docker", "context", "inspect"], seconds=ANSWER_SECONDS))
    host = str(contexts[0]["Endpoints"]["docker"]["Host"])
    if not host.startswith("unix://"):
        raise SetupFailed(f"the engine at {host} does not answer; unset DOCKER_HOST or start it")
    return host


def _start(socket: str) -> None:
    say(f"starting an engine (data in {ENGINE_HOME}, log in {_LOG})")
    # A daemon that was killed leaves its pid file behind, and once the number is another
    # process's, dockerd takes that one for itself or for its containerd and does not start.
    for stale, program in ((_PID, "dockerd"), (_containerd_pid(), "containerd")):
        if _running(stale, program) is None:
            stale.unlink(missing_ok=True)
    argv = [
        "dockerd",
        f"--host={socket}",
        f"--data-root={ENGINE_HOME / 'data'}",
        f"--exec-root={_EXEC}",
        f"--pidfile={_PID}",
    ]
    with _LOG.open("ab") as log:
        daemon = subprocess.Popen(
            argv,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    for _ in range(int(START_SECONDS / POLL_SECONDS)):
        if answers():
            return
        try:
            status = daemon.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        said = telling_line(_LOG.read_text(errors="replace"))
        raise SetupFailed(f"dockerd ended with status {status}: {said} (type: tail {_LOG})")
    daemon.terminate()
    daemon.wait(STOP_SECONDS)
    raise SetupFailed(f"dockerd did not answer within {START_SECONDS:.0f} s; type: tail {_LOG}")


def _containerd_pid() -> Path:
    return _EXEC / "containerd" / "containerd.pid"


def _running(pid_file: Path, program: str) -> int | None:
    """Return the process that a pid file names, if it lives and is that program."""
    try:
        pid = int(pid_file.read_text())
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return None
    return pid if name == program else None
