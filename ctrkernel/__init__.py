"""Persistent shells in containers, for Jupyter, IPython and Python.

``%load_ext ctrkernel`` in IPython; ``ctrkernel.attach(target)`` in Python.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctrkernel.container import Container, attach, list_containers
    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.errors import CtrKernelError
    from ctrkernel.launch.run import run_container
    from ctrkernel.session.result import CommandResult, ExecResult
    from ctrkernel.session.shell import ShellSession

#: Where each public name lives; it is loaded at its first use.
_HOMES = {
    "CommandResult": "ctrkernel.session.result",
    "Container": "ctrkernel.container",
    "ContainerInfo": "ctrkernel.engine.container",
    "CtrKernelError": "ctrkernel.errors",
    "ExecResult": "ctrkernel.session.result",
    "ShellSession": "ctrkernel.session.shell",
    "attach": "ctrkernel.container",
    "list_containers": "ctrkernel.container",
    "run_container": "ctrkernel.launch.run",
}

__all__ = [
    "CommandResult",
    "Container",
    "ContainerInfo",
    "CtrKernelError",
    "ExecResult",
    "ShellSession",
    "attach",
    "list_containers",
    "run_container",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


def load_ipython_extension(shell: Any) -> None:
    """Register the magics; called by ``%load_ext ctrkernel``."""
    from ctrkernel.magics.extension import load  # noqa: PLC0415 - only IPython has IPython

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take them back and end all shells; called by ``%unload_ext ctrkernel``."""
    from ctrkernel.magics.extension import unload  # noqa: PLC0415 - as above

    unload(shell)
