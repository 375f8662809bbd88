"""Runs commands for IPython: the work in a thread, what is shown and asked in IPython's own."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from getpass import getpass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from IPython.display import display

from ctrkernel.commands import registry
from ctrkernel.commands.context import Context, Interrupts, Output
from ctrkernel.errors import CommandInterrupted, CtrKernelError, UsageError
from ctrkernel.magics.gauge import gauge_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    from IPython.core.interactiveshell import InteractiveShell

    from ctrkernel.commands.progress import Progress
    from ctrkernel.commands.workspace import Workspace


class Interrupted(KeyboardInterrupt):
    """A command was interrupted; shown as one line."""


class Bridge:
    """One IPython shell's workspace, and the way to it.

    Args:
        shell: IPython.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._workspace: Workspace | None = None
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="ctrkernel-command")

    @property
    def workspace(self) -> Workspace:
        """What the magics work in."""
        if self._workspace is None:
            from ctrkernel.commands.workspace import Workspace  # noqa: PLC0415 - a fast load

            self._workspace = Workspace(os.environ)
        return self._workspace

    def run(self, name: str, line: str, body: str | None) -> Any:
        """Run a command to its end and return its value.

        Raises:
            CtrKernelError: It could not be done; IPython shows one line.
            Interrupted: The person interrupted it.
        """
        frontend = MagicFrontend(self._shell)
        interrupts = Interrupts()
        try:
            context = Context(self.workspace, frontend, interrupts, body)
            future = self._threads.submit(registry.find(name).run, line, context)
            future.add_done_callback(frontend.end)
            with _signalling(interrupts):
                frontend.serve()
            output = future.result()
        except CommandInterrupted as error:
            raise _bare(Interrupted(str(error)), f"KeyboardInterrupt: {error}") from None
        except CtrKernelError as error:
            raise _bare(error, f"{type(error).__name__}: {error}") from None
        if interrupts.is_set():
            raise _bare(
                Interrupted(f"%{name} was interrupted"),
                f"KeyboardInterrupt: %{name} was interrupted",
            )
        return _shown(output)

    def close(self) -> None:
        """End all shells; called when IPython ends."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._workspace is not None:
            self._workspace.close()


class MagicFrontend:
    """What commands see of IPython; what they show is shown in the thread that called the magic.

    Args:
        shell: IPython.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._requests: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._gauge = gauge_for(shell)

    @property
    def variables(self) -> MutableMapping[str, object] | None:
        """IPython's user variables."""
        variables: MutableMapping[str, object] = self._shell.user_ns
        return variables

    @property
    def terminal(self) -> bool:
        """Whether this is IPython in a terminal."""
        return not hasattr(self._shell, "kernel") and sys.stdin.isatty()

    def stream(self, text: str, *, name: str = "stdout") -> None:
        """Show text as it comes."""

        def write() -> None:
            stream = sys.stderr if name == "stderr" else sys.stdout
            stream.write(text)
            stream.flush()

        self._requests.put(write)

    def progress(self, progress: Progress | None) -> None:
        """Show it in IPython's thread: a bar in a notebook that has one, else a line."""
        self._requests.put(lambda: self._gauge.draw(progress))

    def notice(self, line: str) -> None:
        """Show a line of our own on stderr."""
        self.stream(f"ctrkernel: {line}\n", name="stderr")

    def ask_hidden(self, prompt: str) -> str:
        """Ask in IPython's own thread."""
        answer: Future[str] = Future()

        def ask() -> None:
            try:
                with _interruptible():
                    answer.set_result(getpass(prompt))
            except KeyboardInterrupt:
                answer.set_exception(CommandInterrupted("nothing was entered"))
            except (EOFError, NotImplementedError, OSError) as error:
                answer.set_exception(UsageError(f"nobody can be asked here: {error}"))

        self._requests.put(ask)
        return answer.result()

    def serve(self) -> None:
        """Show and ask what the command wants, until its end."""
        while (request := self._requests.get()) is not None:
            request()

    def end(self, _: object = None) -> None:
        """Make :meth:`serve` return; called when the command has ended."""
        self._requests.put(None)


@contextlib.contextmanager
def _signalling(interrupts: Interrupts) -> Iterator[None]:
    """Have SIGINT tell the command, and raise nothing in the middle of something else."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: interrupts.interrupt())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Have SIGINT raise KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _bare(error: BaseException, line: str) -> BaseException:
    """Have IPython show `line` and no traceback for `error`."""
    kind, colon, rest = line.partition(":")
    error._render_traceback_ = lambda: [f"\x1b[31m{kind}\x1b[0m{colon}{rest}"]  # type: ignore[attr-defined]
    return error


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
