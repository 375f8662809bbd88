"""What every test gets: the installed wheel, and none of the person's own settings."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import sys
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jupyter_client.connect import LocalPortCache

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Settings of the person's that would change what a test sees.
_PERSONAL = (
    "COLUMNS",
    "CTRKERNEL_SHELL",
    "CTRKERNEL_TARGET",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_CONFIG_PATH",
    "JUPYTER_DATA_DIR",
    "JUPYTER_PATH",
    "JUPYTER_RUNTIME_DIR",
    "LINES",
    "PYTHONPATH",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)

#: Where the ports of the kernels begin, and how many each of the processes that test has. They are
#: below those that Linux gives away by itself, or another process would get one that was chosen for
#: a kernel and is not yet bound.
_FIRST_PORT, _PORTS = 20_000, 1_500

#: What a browser is called on the path.
_BROWSERS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")


@pytest.fixture(scope="session", autouse=True)
def _nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests a home of their own, for Jupyter and IPython read the person's."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        # The engine's contexts are the person's, and the engine is wanted as they have it.
        engine_settings = Path.home() / ".docker"
        if "DOCKER_CONFIG" not in os.environ and engine_settings.is_dir():
            patch.setenv("DOCKER_CONFIG", str(engine_settings))
        for name in _PERSONAL:
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(home))
        patch.setenv("IPYTHONDIR", str(home / ".ipython"))
        # A kernel that starts in the checkout must run the installed wheel too.
        patch.setenv("PYTHONSAFEPATH", "1")
        # The kernel's spec says `python`, which is this one only for jupyter_client.
        patch.setenv("PATH", f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Heed what ends a program, and have every child do so.

    A run in the background of a shell ignores SIGINT and SIGQUIT, one under nohup SIGHUP.
    """
    for number, handler in (
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGQUIT, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


class _Ports(LocalPortCache):
    """Chooses the ports of this process's kernels among its own."""

    def __init__(self) -> None:
        super().__init__()
        worker = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or "0"
        first = _FIRST_PORT + int(worker) * _PORTS
        self._ports = cycle(range(first, first + _PORTS))

    def find_available_port(self, ip: str) -> int:
        """Return the next one that is free."""
        for port in self._ports:
            if port in self.currently_used_ports:
                continue
            with socket.socket() as attempt, contextlib.suppress(OSError):
                attempt.bind((ip, port))
                self.currently_used_ports.add(port)
                return port
        raise AssertionError("a cycle has no end")


@pytest.fixture(scope="session", autouse=True)
def _ports() -> None:
    """Have jupyter_client choose no port that another process may be given."""
    _Ports.instance()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium or Chrome."""
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    pytest.fail("no Chromium or Chrome on the path; type: make browser", pytrace=False)
