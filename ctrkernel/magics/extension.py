"""``%load_ext ctrkernel``: every command becomes a magic; nothing is looked for before its use."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from ctrkernel.commands import registry
from ctrkernel.magics.bridge import Bridge

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

#: One bridge for each IPython shell of this process.
_bridges: dict[int, Bridge] = {}


class Magic:
    """One command as IPython calls it, and shows its help for ``?``.

    Args:
        bridge: Runs it.
        name: The command's name.
    """

    def __init__(self, bridge: Bridge, name: str) -> None:
        self._bridge = bridge
        self.__name__ = name

    def __call__(self, line: str, cell: str | None = None) -> Any:
        """Run it: ``%name line``, or ``%%name line`` with the cell below."""
        return self._bridge.run(self.__name__, line, cell)

    def getdoc(self) -> str:
        """Return the command's help; IPython asks for it by this name."""
        return registry.find(self.__name__).help()


def load(shell: InteractiveShell) -> None:
    """Register every command; a second call changes nothing."""
    if id(shell) in _bridges:
        return
    bridge = _bridges[id(shell)] = Bridge(shell)
    atexit.register(bridge.close)
    for name in registry.COMMANDS:
        shell.magics_manager.register_function(Magic(bridge, name), "line_cell", name)


def unload(shell: InteractiveShell) -> None:
    """Take the magics back and end all shells."""
    bridge = _bridges.pop(id(shell), None)
    if bridge is None:
        return
    for name in registry.COMMANDS:
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop(name, None)
    atexit.unregister(bridge.close)
    bridge.close()
