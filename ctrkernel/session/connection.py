"""A session's connection to its shell: started in the container, looked at, let go and ended."""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from ctrkernel.engine.reaper import HANG_UP_TIMEOUT, PID_WORD, START_WORD, Reaper, unable_argv
from ctrkernel.errors import (
    CtrKernelError,
    SessionClosed,
    ShellBusy,
    ShellExited,
    ShellStartFailed,
    one_line,
)
from ctrkernel.protocol.conversation import Conversation, Done, Phase, Ready
from ctrkernel.session import inside, startup
from ctrkernel.session.beside import Beside
from ctrkernel.session.launcher import Launch, Screen, environment, launches
from ctrkernel.session.pump import Pump
from ctrkernel.session.side_shell import SideShell
from ctrkernel.session.transport import PtyTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.engine import Engine
    from ctrkernel.session.mask import Mask
    from ctrkernel.session.pump import Listener

#: What the engine's CLI exits with where the program to execute cannot be, or is not there.
NO_PROGRAM = (126, 127)
#: Seconds that a terminal may take to end.
CLOSE_TIMEOUT = 5.0


class Connection:
    """One shell at a time, from its start to its end; usable from any thread.

    It knows nothing of commands. It hears the pump first, and passes on what is no start that
    failed: for one, the next way to start a shell is tried.

    Args:
        engine: The engine's command line.
        container: The container's id or name.
        name: What the session is called in messages.
        shell: The program, arguments included; None for bash where there is one, else sh.
        screen: The terminal, and the shell's variables.
        listener: Told of what the shell does.
        mask: Takes secrets out of the output.
    """

    def __init__(
        self,
        engine: Engine,
        container: str,
        *,
        name: str,
        shell: str | None,
        screen: Screen,
        listener: Listener,
        mask: Mask | None,
    ) -> None:
        self.screen = screen
        self.closed = True
        #: Why there is no shell: it did not come to its first prompt, or the pump failed.
        self.failure: CtrKernelError | None = None
        self.exit_status: int | None = None
        #: How many shells were started.
        self.starts = 0
        self.conversation: Conversation | None = None
        #: What types and reads, while it is open.
        self.pump: Pump | None = None
        self._engine = engine
        self._container = container
        self._name = name
        self._asked = shell or ""
        self._launches = launches(shell)
        self._launch = self._launches[0]
        self._listener = listener
        self._mask = mask
        self._lock = threading.RLock()
        self._ready: Ready | None = None
        #: Whether it is known that the shell comes to its first prompt, or that it does not.
        self._settled = threading.Event()
        self._side: SideShell | None = None
        self._reapers: list[Reaper] = []
        #: Those of shells that were closed, which nobody has waited for.
        self._ending: list[Reaper] = []
        #: That of the shell that was closed last: what it still has to tell is not of the next.
        self._leaving: Pump | None = None
        #: The process whose threads serve the shell; a fork of it has the objects alone.
        self._process = 0

    # Life

    def open(self) -> None:
        """Start the shell and return at once; :meth:`wait_ready` waits for it."""
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            leaving.join(CLOSE_TIMEOUT)
        with self._lock:
            if not self.closed:
                return
            self.closed = False
            self._process = os.getpid()
            self._start(self._launches[0])

    def _start(self, launch: Launch) -> None:
        nonce = secrets.token_hex(8)
        self.starts += 1
        self._launch = launch
        self._ready = None
        self.failure = None
        self.exit_status = None
        self._settled.clear()
        argv = self._engine.exec_argv(
            self._container,
            launch.argv,
            tty=True,
            interactive=True,
            env=environment(self.screen.env, nonce=nonce),
            # Two bytes that no keyboard sends: the client must not detach on any input.
            detach_keys="ctrl-^,ctrl-_,ctrl-^,ctrl-_",
        )
        hang_up = self._engine.exec_argv(
            self._container, inside.hang_up_argv(launch.helper, PID_WORD, START_WORD, nonce)
        )
        unable = unable_argv(self._engine, self._container)
        reaper = Reaper(hang_up, unable=unable, environ=os.environ)
        rows, columns = self.screen.rows, self.screen.columns
        try:
            transport = PtyTransport(argv, environ=os.environ, rows=rows, columns=columns)
        except BaseException:
            reaper.dismiss()
            raise
        self._reapers.append(reaper)
        self.conversation = Conversation(nonce)
        self.pump = Pump(transport, self.conversation, self, self._mask)
        self.pump.start()

    def wait_ready(self, timeout: float) -> bool:
        """Wait for the shell's first prompt; whether it is known in time what becomes of it.

        Args:
            timeout: Seconds.

        Raises:
            SessionClosed: It is closed, or was started by the process that this is a fork of.
            TargetError: The container cannot be used, or has no shell.
            ShellStartFailed: The shell did not come to a prompt.
        """
        self.require_here()
        if self.closed and self.failure is None:
            raise self._is_closed()
        settled = self._settled.wait(timeout)
        if settled and self.failure is not None:
            raise self.failure
        return settled

    def abandon(self) -> bool:
        """Have :meth:`wait_ready` raise at once; False where it has nothing to wait for."""
        with self._lock:
            if self._settled.is_set():
                return False
            self.failure = startup.abandoned(self._container)
            self._settled.set()
            return True

    def close(self) -> Pump | None:
        """End the shell, and all that it started, in the background.

        Returns:
            What is to be stopped and joined: a command's output may be on its way.
        """
        with self._lock:
            if not self._settled.is_set():
                self.failure = self._is_closed()
                self._settled.set()
            pump, self.pump = self.pump, None
            self._leaving = pump or self._leaving
            reapers, self._reapers = self._reapers, []
            side, self._side = self._side, None
            if side is not None:
                reapers += side.close()
            self._ending = [each for each in self._ending if not each.wait(0)] + reapers
            self.closed = True
        for reaper in reapers:
            reaper.release()
        return pump

    def wait_closed(self) -> None:
        """Wait until the container has been tidied of shells that were closed."""
        with self._lock:
            reapers, self._ending = self._ending, []
        for reaper in reapers:
            # In a fork nothing has been tidied: the shell is the parent's, and so is the reaper.
            reaper.wait(HANG_UP_TIMEOUT if self._process == os.getpid() else 0)

    def _is_closed(self) -> SessionClosed:
        return SessionClosed(f"session {self._name} is closed; reopen it")

    # How it stands

    @property
    def alive(self) -> bool:
        """Whether there is a shell, at its prompt or on its way to it."""
        return not self.closed and self.exit_status is None and self.failure is None

    @property
    def ready(self) -> bool:
        """Whether the shell has come to its first prompt."""
        return self._ready is not None

    @property
    def pid(self) -> int | None:
        """The shell's process id in the container, once it is at its first prompt."""
        return self._ready.pid if self._ready is not None else None

    @property
    def helper(self) -> str:
        """A shell of the POSIX family in the container, for short scripts beside this one."""
        return self._launch.helper

    @property
    def greeting(self) -> bytes:
        """What the shell said before its first prompt."""
        return self.conversation.greeting if self.conversation is not None else b""

    @property
    def never_began(self) -> bool:
        """Whether the shell surely did not run the code; else it is not to be run again."""
        conversation = self.conversation
        return self.waits_to_begin and conversation is not None and conversation.marks_work

    @property
    def waits_to_begin(self) -> bool:
        """Whether the running command's begin mark was not seen."""
        return self.conversation is not None and self.conversation.phase is Phase.STAGING

    @property
    def is_held_up(self) -> bool:
        """Whether the running command has not begun, behind one that was interrupted."""
        conversation = self.conversation
        return self.waits_to_begin and conversation is not None and conversation.interrupted

    def is_replaced(self, look: inside.ShellLook) -> bool:
        """Whether the running command put another shell in our shell's place, now at its prompt.

        Nothing must be typed for a program that merely reads.
        """
        ready, conversation = self._ready, self.conversation
        return (
            ready is not None
            and conversation is not None
            and conversation.phase is Phase.RUNNING
            and look.sleeping
            and look.foreground
            and look.interactive
            and 0 not in (look.image, ready.image)
            and look.image != ready.image
        )

    def require_here(self) -> None:
        """Raise SessionClosed in a fork of the process that started the shell.

        Nobody there reads the terminal, and what it types is typed to the parent's shell.
        """
        if self._process not in (0, os.getpid()):
            raise SessionClosed(
                f"session {self._name} belongs to the process that this one was forked from; "
                "attach anew in this one"
            )

    def require_open(self) -> None:
        """Raise SessionClosed if it is closed."""
        if self.closed:
            raise self._is_closed()

    def require_ready(self) -> Pump:
        """Return what types to the shell.

        Raises:
            SessionClosed: It is closed, or was started by the process that this is a fork of.
            ShellExited: The shell ended.
            ShellBusy: The shell is not at its first prompt yet.
        """
        self.require_here()
        if self.closed or self.pump is None:
            raise self._is_closed()
        if self.exit_status is not None:
            raise ShellExited(f"exit status {self.exit_status}")
        if self._ready is None:
            raise ShellBusy(f"session {self._name} is starting; wait until it is ready")
        return self.pump

    # What is typed to it

    def press(self, key: bytes, wanted: Callable[[], bool]) -> None:
        """Type a key that signals, once the command has begun, if it is `wanted` then."""
        self._post(lambda pump: pump.press(key, wanted))

    def type(self, data: bytes) -> None:
        """Type bytes, as a keyboard would."""
        self._post(lambda pump: pump.type(data))

    def resize(self, rows: int, columns: int) -> None:
        """Set the terminal's size in characters."""
        self.screen = replace(self.screen, rows=rows, columns=columns)
        self._post(lambda pump: pump.resize(rows, columns))

    def take_over(self) -> None:
        """Make the shell ours that is in our shell's place; it ends the running command."""
        self._post(lambda pump: pump.replace_shell())

    def ask_for_end(self, wanted: Callable[[], bool]) -> None:
        """Type the end mark's words, if it is `wanted` then, to a shell known to be at its prompt.

        Else a program of the next command's could read them.
        """
        conversation = self.conversation

        def ask(pump: Pump) -> None:
            if conversation is not None and wanted():
                pump.type(conversation.rescue())

        self._post(ask)

    def let_go(self) -> None:
        """End the engine's client; what runs in the container is hung up when it can be."""
        pump = self.pump
        if pump is not None:
            pump.stop()

    def _post(self, request: Callable[[Pump], None]) -> None:
        """Have `request` called with the pump, in its thread; nothing where there is none."""
        pump = self.pump
        if pump is not None:
            pump.post(lambda: request(pump))

    # Beside it

    @property
    def side(self) -> SideShell:
        """A second shell in the same container, which answers questions while this one works."""
        with self._lock:
            self.require_open()
            if self._side is None:
                self._side = SideShell(
                    self._engine, self._container, helper=self.helper, env=self.screen.env
                )
            return self._side

    def beside(self) -> Beside | None:
        """Return the way to the container beside the terminal, once the shell's pid is known."""
        if self._ready is None:
            return None
        return Beside(self._engine, self._container, helper=self.helper, pid=self._ready.pid)

    def trouble(self) -> CtrKernelError | None:
        """Return what is wrong with the container or the engine, if anything is."""
        try:
            return self._engine.diagnose(self._container)
        except CtrKernelError as error:
            return error

    # What the pump tells, in its thread

    def on_ready(self, ready: Ready) -> None:
        """The shell is at its first prompt."""
        first, self._ready = self._ready is None, ready
        self._listener.on_ready(ready)
        if self._reapers and first:
            self._reapers[-1].tell(ready.pid, ready.started)
        self._settled.set()

    def on_output(self, text: str, *, late: bool) -> None:
        """Pass output on."""
        self._listener.on_output(text, late=late)

    def on_done(self, done: Done) -> None:
        """Pass on that the running command ended."""
        self._listener.on_done(done)

    def on_quiet(self) -> None:
        """Pass on that a running command is silent."""
        self._listener.on_quiet()

    def on_exit(self, status: int) -> None:
        """The shell, or the engine's client, is gone."""
        if self._ready is None and not self.closed:
            self._failed_to_start(status)
            return
        self.exit_status = status
        self._listener.on_exit(status)

    def on_failure(self, error: BaseException) -> None:
        """The pump failed: a fault of ours, and nothing can be typed any more."""
        self.exit_status = 255
        self.failure = ShellStartFailed(f"the session failed: {one_line(repr(error))}; reopen it")
        self._settled.set()
        self._listener.on_failure(error)

    def _failed_to_start(self, status: int) -> None:
        failure = self.trouble()
        if failure is None and status in NO_PROGRAM:
            following = self._launches[self._launches.index(self._launch) + 1 :]
            with self._lock:
                if following and not self.closed:
                    self._start(following[0])
                    return
            failure = startup.no_shell(self._engine.name, self._container, asked=self._asked)
        self.failure = failure or startup.ended_early(self._container, status, self.greeting)
        self._settled.set()
