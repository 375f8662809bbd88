"""Engines that a test may kill: a second daemon, or the way to the one that everybody uses.

The second daemon needs root and dockerd. It has no network, keeps everything in a folder of its
own, and touches nothing of the first. Where it cannot be, there is still the way to the engine:
a socket that passes everything on, and that can be cut.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import pytest

from workbench import images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.integration.conftest import MakeContainer

#: For a start or an end of a daemon on a busy machine, and for any one question.
SECONDS: Final = 60.0
#: Each client's bytes at once.
PIECE: Final = 256 * 1024
#: How often a test may start one daemon.
STARTS: Final = 10
_POLL: Final = 0.1


class Killable(Protocol):
    """An engine that answers at a socket, until it is killed."""

    #: What ``DOCKER_HOST`` says.
    host: str

    def start(self) -> None:
        """Have it answer, also after a kill."""

    def kill(self) -> None:
        """Be gone without a word."""

    def close(self) -> None:
        """Leave nothing over."""


@contextlib.contextmanager
def killable_engine(
    *daemon_options: str, daemon: bool, make: MakeContainer, box_options: Sequence[str] = ()
) -> Iterator[tuple[Killable, Callable[[], str]]]:
    """Start an engine, and yield it with what makes a busybox container there.

    Args:
        daemon_options: Of dockerd.
        daemon: A second daemon; else the way to the first.
        make: Makes a container of the first engine's.
        box_options: Of each container.
    """
    with tempfile.TemporaryDirectory(prefix="ctrkernel-", dir="/var/tmp") as name:
        home = Path(name)
        second = Daemon(home, *daemon_options) if daemon else None
        killable: Killable = Way(home) if second is None else second
        try:
            killable.start()
            if second is not None:
                second.load(images.ensure(images.BY_NAME["busybox"]), "box")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("DOCKER_HOST", killable.host)
                if second is not None:
                    yield killable, lambda: second.run("box", *box_options)
                else:
                    yield killable, lambda: make("busybox", *box_options)
        finally:
            killable.close()


def can_run_a_daemon() -> bool:
    """Whether a second daemon can be started here."""
    return os.geteuid() == 0 and shutil.which("dockerd") is not None


class Daemon:
    """A dockerd of our own; it dies with the thread that starts it.

    Args:
        home: An empty folder with a short name: the path of a socket has at most 107 bytes.
        options: Further options of dockerd.
    """

    def __init__(self, home: Path, *options: str) -> None:
        self._home = home
        self._options = options
        self._log = home / "log"
        self._daemon: subprocess.Popen[bytes] | None = None
        self.host = f"unix://{home}/socket"

    def start(self) -> None:
        for left in (self._pid_file, self._home / "pid"):
            left.unlink(missing_ok=True)  # a stale number may be another process's by now
        argv = [
            # In a network of its own: without a bridge it takes away the docker0 that it finds.
            *("setpriv", "--pdeathsig=KILL", "unshare", "--net"),
            *("dockerd", f"--host={self.host}"),
            *(f"--data-root={self._home}/data", f"--exec-root={self._home}/exec"),
            *(f"--pidfile={self._home}/pid", "--bridge=none", "--iptables=false"),
            # It works on every file system.
            *("--storage-driver=vfs", *self._options),
        ]
        with self._log.open("ab") as log:
            self._daemon = subprocess.Popen(argv, cwd="/", stdin=subprocess.DEVNULL, stderr=log)
        deadline = time.monotonic() + SECONDS
        while self._ask("ps", "--quiet").returncode:
            said = self._log.read_text(errors="replace")[-2000:]
            assert self._daemon.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(_POLL)

    def kill(self) -> None:
        assert self._daemon is not None
        # Its containerd dies with it; the next may not find that one's socket.
        with contextlib.suppress(ProcessLookupError):
            beside = os.pidfd_open(int(self._pid_file.read_text()))
            try:
                self._daemon.send_signal(signal.SIGKILL)
                _await(beside)
            finally:
                os.close(beside)
        self._daemon.wait(SECONDS)

    def close(self) -> None:
        if self._daemon is None:
            return
        if self._daemon.poll() is not None:
            self.start()
        listed = self._ask("ps", "--all", "--quiet").stdout.split()
        if listed:
            self._ask("rm", "--force", *listed)
        self._daemon.terminate()
        self._daemon.wait(SECONDS)
        # Each start mounts this on itself, and only one that ends in peace takes that away.
        for _ in range(STARTS):
            subprocess.run(["umount", f"{self._home}/data"], check=False, capture_output=True)

    def load(self, image: str, tag: str) -> None:
        """Take over an image from the engine that everybody uses."""
        made = subprocess.run(
            ["docker", "create", image, "true"], check=True, capture_output=True, text=True
        ).stdout.strip()
        try:
            with subprocess.Popen(["docker", "export", made], stdout=subprocess.PIPE) as export:
                argv = ["docker", f"--host={self.host}", "import", "-", tag]
                subprocess.run(argv, stdin=export.stdout, check=True, capture_output=True)
        finally:
            subprocess.run(["docker", "rm", made], check=True, capture_output=True)

    def run(self, image: str, *options: str) -> str:
        """Start a container that waits, and return its id."""
        words = ["run", "--detach", "--network=none", *options, image, "sleep", "infinity"]
        done = self._ask(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def _pid_file(self) -> Path:
        return self._home / "exec/containerd/containerd.pid"

    def _ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return _docker(self.host, words)


class Way:
    """A socket that leads to the engine that everybody uses.

    Args:
        home: As for a :class:`Daemon`.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "socket"
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        form = "{{.Endpoints.docker.Host}}"
        argv = ["docker", "context", "inspect", f"--format={form}"]
        found = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
        self._beyond = found.removeprefix("unix://")
        assert self._beyond != found, f"the engine is at {found}; these tests need its socket"
        self.host = f"unix://{self._path}"

    def start(self) -> None:
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def kill(self) -> None:
        with self._lock:
            if self._listener is not None:
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def close(self) -> None:
        self.kill()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as engine, contextlib.suppress(OSError):
            engine.connect(self._beyond)
            with self._lock:
                if self._listener is None:
                    return
                self._open |= {client, engine}
            back = threading.Thread(target=_pass_on, args=[engine, client], daemon=True)
            back.start()
            _pass_on(client, engine)
            back.join()
            with self._lock:
                self._open -= {client, engine}


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(PIECE):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _docker(host: str, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    argv = ["docker", f"--host={host}", *words]
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=SECONDS)


def _await(handle: int) -> None:
    assert select.select([handle], [], [], SECONDS)[0]
