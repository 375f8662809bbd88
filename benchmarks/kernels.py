"""Start and stop the kernels that are compared, each through jupyter_client's own manager."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq
from client import BenchmarkError, KernelDiedError, Probe
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent

#: Seconds a kernel may take to its first answer; a cold disk on a loaded machine needs a tenth.
START_TIMEOUT = 60.0

#: Milliseconds between a client's attempts to connect. The client is there before the kernel's
#: sockets are, and ZeroMQ's own 100 ms would round every start time up to the next tenth.
RECONNECT_MS = 2


@dataclass(frozen=True, slots=True)
class Start:
    """A kernel that has answered its first cell.

    Args:
        probe: The client.
        pid: The kernel's process.
        seconds: From the call that starts the process to the first execute_reply.
    """

    probe: Probe
    pid: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelChoice:
    """A kernel to measure.

    Args:
        name: Its name in the table.
        argv: Its command line, as a kernelspec has it.
        first: The first cell.
        env: What is added to its environment.
    """

    name: str
    argv: list[str]
    first: str = "true"
    env: dict[str, str] = field(default_factory=dict)


class Kernels:
    """Kernelspecs in a folder of their own, so that nothing installed is read or changed.

    Args:
        folder: An empty folder; the kernels also run in it, so that the package they import is
            the installed one and not the checkout.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._specs = KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)
        self._context = zmq.Context()
        self._context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)

    def close(self) -> None:
        """Close every socket that is left."""
        self._context.destroy(linger=0)

    @contextlib.contextmanager
    def started(self, choice: KernelChoice) -> Iterator[Start]:
        """Start a kernel, run its first cell, and shut it down at the end of the block."""
        self._write_spec(choice)
        manager = KernelManager(
            kernel_name=choice.name, kernel_spec_manager=self._specs, context=self._context
        )
        begin = time.perf_counter()
        with (self._folder / choice.name / "stderr").open("wb") as stderr:
            manager.start_kernel(cwd=str(self._folder), stderr=stderr)
        client = manager.client(context=self._context)
        try:
            client.start_channels(hb=False, stdin=False)
            probe = Probe(client, choice.name, is_alive=manager.is_alive)
            probe.first_reply(choice.first, timeout=START_TIMEOUT)
            seconds = time.perf_counter() - begin
            probe.await_iopub(timeout=START_TIMEOUT)
            yield Start(probe, _pid(manager), seconds)
        except KernelDiedError as error:
            raise BenchmarkError(f"{error}\n{_tail(Path(stderr.name))}") from error
        finally:
            client.stop_channels()
            manager.shutdown_kernel()

    def _write_spec(self, choice: KernelChoice) -> None:
        spec = self._folder / choice.name / "kernel.json"
        spec.parent.mkdir(exist_ok=True)
        document = {
            "argv": choice.argv,
            "display_name": choice.name,
            "language": "text",
            "env": {"IPYTHONDIR": str(self._folder / "ipython"), **choice.env},
        }
        spec.write_text(json.dumps(document), encoding="utf-8")


def empty() -> KernelChoice:
    """Choose the kernel that does nothing."""
    return KernelChoice(name="empty", argv=_script("empty_kernel.py"))


def ceiling() -> KernelChoice:
    """Choose the kernel that only sends."""
    return KernelChoice(name="ceiling", argv=_script("ceiling_kernel.py"))


def ipython() -> KernelChoice:
    """Choose the IPython kernel, by the command line of its own kernelspec."""
    return KernelChoice(name="ipython", argv=get_kernel_dict()["argv"], first="1")


def ctrkernel(target: str) -> KernelChoice:
    """Choose the project's kernel in `target`, with the output limit off."""
    return KernelChoice(
        name="ctrkernel",
        argv=_ctrkernel_argv(),
        env={"CTRKERNEL_TARGET": target, "CTRKERNEL_OUTPUT_LIMIT": "none"},
    )


def bash_kernel() -> KernelChoice | None:
    """Choose bash_kernel, or nothing where it is not installed."""
    if importlib.util.find_spec("bash_kernel") is None:
        return None
    argv = [sys.executable, "-m", "bash_kernel", "-f", "{connection_file}"]
    return KernelChoice(name="bash_kernel", argv=argv, env={"PS1": "$"})


def _ctrkernel_argv() -> list[str]:
    """Return the command line of the kernelspec in the checkout, run by this interpreter."""
    spec: dict[str, Any] = json.loads(
        (HERE.parent / "kernelspec" / "kernel.json").read_text(encoding="utf-8")
    )
    _python, *rest = spec["argv"]
    return [sys.executable, *rest]


def _tail(log: Path) -> str:
    """Return the last lines of what a kernel wrote to its stderr."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-10:])


def _script(name: str) -> list[str]:
    return [sys.executable, str(HERE / name), "-f", "{connection_file}"]


def _pid(manager: KernelManager) -> int:
    provisioner = manager.provisioner
    if not isinstance(provisioner, LocalProvisioner) or provisioner.pid is None:
        raise RuntimeError(f"kernel {manager.kernel_name!r} has no process here")
    return provisioner.pid
