"""Runs commands for IPython: the work in a thread, what is shown and asked in IPython's own."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.display import display

from ctrkernel.commands import registry
from ctrkernel.commands.cell import SHELL
from ctrkernel.commands.context import Context, Interrupts, Output
from ctrkernel.errors import CommandInterrupted, CtrKernelError
from ctrkernel.magics.frontend import MagicFrontend
from ctrkernel.magics.question import on_sigint

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from IPython.core.interactiveshell import InteractiveShell

    from ctrkernel.commands.completion import Completer
    from ctrkernel.commands.workspace import Workspace

#: Interrupts after which a command that does not end is left to itself: the fourth has ended its
#: shell, so what still hangs is the engine.
PATIENCE = 5


class Bridge:
    """One IPython shell's workspace, and the way to it.

    Args:
        shell: IPython.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._lock = threading.Lock()
        self._workspace: Workspace | None = None
        self._completer: Completer | None = None

    @property
    def workspace(self) -> Workspace:
        """What the magics work in."""
        with self._lock:
            if self._workspace is None:
                from ctrkernel.commands.workspace import Workspace  # noqa: PLC0415 - a fast load

                self._workspace = Workspace(os.environ, on_late=_show_late)
                self._workspace.on_notice = _show_notice
            return self._workspace

    @property
    def completer(self) -> Completer:
        """What completes the commands' lines."""
        if self._completer is None:
            from ctrkernel.commands.completion import Completer  # noqa: PLC0415 - a fast load

            self._completer = Completer(self.workspace)
        return self._completer

    @property
    def own_variables(self) -> dict[str, Any]:
        """Those of them that the person made."""
        hidden = self._shell.user_ns_hidden
        return {name: value for name, value in self.variables.items() if name not in hidden}

    @property
    def variables(self) -> dict[str, Any]:
        """IPython's user variables."""
        variables: dict[str, Any] = self._shell.user_ns
        return variables

    def run(self, name: str, line: str, body: str | None) -> Any:
        """Run a command to its end and return its value.

        Raises:
            CtrKernelError: It could not be done; IPython shows one line.
            KeyboardInterrupt: The person interrupted it; one line too.
        """
        frontend = MagicFrontend(self._shell)
        frontend.shape(self.workspace)
        interrupts = Interrupts()
        try:
            with _signalling(frontend, interrupts):
                output = self._work(name, line, body, frontend, interrupts)
        except CommandInterrupted as error:
            raise self.bare(KeyboardInterrupt(str(error))) from None
        except CtrKernelError as error:
            stopped = KeyboardInterrupt(str(error)) if interrupts.is_set() else error
            raise self.bare(stopped) from None
        if interrupts.is_set():
            # What was done stays visible; only its value has nobody to take it.
            _shown(replace(output, value=None))
            raise self.bare(KeyboardInterrupt(f"%{name} was done before the interrupt reached it"))
        return _shown(output)

    def _work(
        self,
        name: str,
        line: str,
        body: str | None,
        frontend: MagicFrontend,
        interrupts: Interrupts,
    ) -> Output:
        context = Context(self.workspace, frontend, interrupts, body)
        ended: list[Output | BaseException] = []

        def work() -> None:
            try:
                ended.append(self._run(name, line, context))
            except BaseException as error:  # noqa: BLE001 - it is raised again in IPython's thread
                ended.append(error)
            finally:
                frontend.finish()
                frontend.end()

        # A daemon, and of no pool: whoever leaves IPython waits for no command.
        threading.Thread(target=work, name=f"ctrkernel-{name}", daemon=True).start()
        frontend.serve()
        if not ended:
            raise CommandInterrupted(f"%{name} does not end; it is left to itself")
        if isinstance(ended[0], BaseException):
            raise ended[0]
        return ended[0]

    @staticmethod
    def _run(name: str, line: str, context: Context) -> Output:
        command = registry.find(name)
        if name == SHELL:
            # What is set wrongly is told before anything runs.
            context.workspace.settings.check()
        return command.run(line, context)

    def bare(self, error: BaseException) -> BaseException:
        """Have IPython show `error` as one line, without a traceback."""
        plain = str(getattr(self._shell, "colors", "")).lower() == "nocolor"
        kind = type(error).__name__
        shown = kind if plain else f"\x1b[31m{kind}\x1b[0m"
        error._render_traceback_ = lambda: [f"{shown}: {error}"]  # type: ignore[attr-defined]
        return error

    def close(self) -> None:
        """End all shells; called when IPython ends."""
        if self._workspace is not None:
            self._workspace.close()


def _signalling(frontend: MagicFrontend, interrupts: Interrupts) -> AbstractContextManager[None]:
    """Have SIGINT tell the command, and raise nothing in the middle of something else.

    The handler itself only leaves word: it may come in the middle of anything, a lock included.
    """
    presses = 0

    def pressed(*_: object) -> None:
        nonlocal presses
        presses += 1
        frontend.post(interrupts.interrupt)
        if presses >= PATIENCE:
            frontend.end()

    return on_sigint(pressed)


def _show_late(text: str) -> None:
    """Show what a job printed between two commands; called in a session's thread."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _show_notice(line: str) -> None:
    sys.stderr.write(f"ctrkernel: {line}\n")
    sys.stderr.flush()


def _shown(output: Output) -> Any:
    """Show what is not returned."""
    if output.value is not None:
        return output.value
    if output.rich:
        bundle = {**output.bundle, "text/plain": output.text.removesuffix("\n")}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
    elif output.text:
        sys.stdout.write(output.text)
    return None
