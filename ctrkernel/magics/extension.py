"""``%load_ext ctrkernel``: every command becomes a magic; nothing is looked for before its use."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from IPython.core.magic import MAGIC_NO_VAR_EXPAND_ATTR

from ctrkernel.commands import registry
from ctrkernel.errors import CtrKernelError
from ctrkernel.magics.bridge import Bridge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

#: One for each IPython shell of this process.
_loaded: dict[int, Extension] = {}


class Magic:
    """One command as IPython calls it, and shows its help for ``?``.

    Args:
        bridge: Runs it.
        name: The command's name.
    """

    #: IPython then passes the variables of the function that calls, where one does.
    needs_local_scope = True

    def __init__(self, bridge: Bridge, name: str) -> None:
        self._bridge = bridge
        self.__name__ = name
        # IPython's own expansion changes what is the shell's; see commands/expansion.py.
        setattr(self, MAGIC_NO_VAR_EXPAND_ATTR, True)

    def __call__(
        self, line: str, cell: str | None = None, *, local_ns: Mapping[str, Any] | None = None
    ) -> Any:
        """Run it: ``%name line``, or ``%%name line`` with the cell below."""
        if "{" in line or "$" in line:
            line = self._expanded(line, local_ns or {})
        return self._bridge.run(self.__name__, line, cell)

    def _expanded(self, line: str, local_ns: Mapping[str, Any]) -> str:
        from ctrkernel.commands.expansion import expand  # noqa: PLC0415 - a fast load

        try:
            return expand(line, {**self._bridge.own_variables, **local_ns})
        except CtrKernelError as error:
            raise self._bridge.bare(error) from None

    def getdoc(self) -> str:
        """Return the command's help; IPython asks for it by this name."""
        return registry.find(self.__name__).help()


class Extension:
    """The magics, the completion and the shells of one IPython shell.

    Args:
        shell: IPython.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._bridge = Bridge(shell)

    def load(self) -> None:
        """Register every command, and the completion of their words."""
        atexit.register(self._bridge.close)
        for name in registry.COMMANDS:
            kind = "line_cell" if name in registry.WITH_BODY else "line"
            self._shell.magics_manager.register_function(Magic(self._bridge, name), kind, name)
        self._shell.Completer.custom_matchers.append(self._match)

    def unload(self) -> None:
        """Take them back and end all shells."""
        for name in registry.COMMANDS:
            for kind in ("line", "cell"):
                self._shell.magics_manager.magics[kind].pop(name, None)
        if self._match in self._shell.Completer.custom_matchers:
            self._shell.Completer.custom_matchers.remove(self._match)
        atexit.unregister(self._bridge.close)
        self._bridge.close()

    def _match(self, context: CompletionContext) -> SimpleMatcherResult:
        from ctrkernel.magics.completion import match  # noqa: PLC0415 - a fast load

        return match(context, self._bridge)

    # The second version of IPython's interface: whole context in, any fragment out.
    _match.matcher_api_version = 2  # type: ignore[attr-defined]
    _match.matcher_identifier = "ctrkernel"  # type: ignore[attr-defined]


def load(shell: InteractiveShell) -> None:
    """Load the extension; a second call changes nothing."""
    if id(shell) not in _loaded:
        _loaded[id(shell)] = Extension(shell)
        _loaded[id(shell)].load()


def unload(shell: InteractiveShell) -> None:
    """Unload it; nothing happens where it is not loaded."""
    extension = _loaded.pop(id(shell), None)
    if extension is not None:
        extension.unload()
