"""A persistent shell in a container."""

from __future__ import annotations

import shlex
import threading
from concurrent.futures import wait
from typing import TYPE_CHECKING, Self

from ctrkernel.errors import CommandTimedOut, ShellBusy, ShellExited, UsageError, one_line
from ctrkernel.protocol.conversation import INTERRUPTED, Done, Ready
from ctrkernel.protocol.detach import DETACH_KEYS, DetachKeys
from ctrkernel.session import startup
from ctrkernel.session.connection import CLOSE_TIMEOUT, Connection
from ctrkernel.session.execution import Execution, OnOutput
from ctrkernel.session.interrupter import Interrupter
from ctrkernel.session.launcher import Screen
from ctrkernel.session.output import Capture
from ctrkernel.session.result import CommandResult
from ctrkernel.session.talker import Talker
from ctrkernel.session.time_limit import time_limit

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

    from ctrkernel.engine.engine import Engine
    from ctrkernel.session.cast import Witness
    from ctrkernel.session.door import Door
    from ctrkernel.session.mask import Mask
    from ctrkernel.session.side_shell import SideShell

#: Seconds that a shell may take to its first prompt; start files of some people are slow.
START_TIMEOUT = 30.0
#: Seconds that a command has after each interrupt when its time is up.
STOP_GRACE = 2.0
#: Seconds that a command waits for a statement of ours.
OURS_TIMEOUT = 5.0
#: Lines, or characters of one, that a terminal may have: its size is two unsigned shorts.
LONGEST_SIDE = 65_535


class ShellSession:
    """One shell, started at :meth:`open`, ended at :meth:`close`; usable from any thread.

    Args:
        engine: The engine's command line.
        container: The container's id or name.
        name: What to call the session in messages.
        shell: The program, arguments included; None for bash where there is one, else sh.
        env: Variables for the shell, beside those that keep pagers quiet.
        rows: The terminal's height in characters.
        columns: Its width.
        on_late: Called, in the session's thread, with output that belongs to no running command.
        on_notice: Called with a line that says why an interrupt does not reach the container.
        on_shown: Called first with each piece of output, late or not: for a transcript.
        mask: Takes secrets out of the output.
        prepare: Called with a session that was reopened, at its prompt.
        witness: Told of code, output and sizes: for a recording.
    """

    def __init__(
        self,
        engine: Engine,
        container: str,
        *,
        name: str = "main",
        shell: str | None = None,
        env: Mapping[str, str] | None = None,
        rows: int = 40,
        columns: int = 120,
        on_late: Callable[[str], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
        on_shown: Callable[[str], None] | None = None,
        mask: Mask | None = None,
        prepare: Callable[[ShellSession], None] | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.engine = engine
        self.container = container
        self.name = name
        self.rows, self.columns = rows, columns
        self.cwd: str | None = None
        self.home = ""
        self.shell = ""
        self._connection = Connection(
            engine,
            container,
            name=name,
            shell=shell,
            screen=Screen(rows, columns, dict(env or {})),
            listener=self,
            mask=mask,
        )
        self._on_late = on_late
        self._on_notice = on_notice
        self._on_shown = on_shown
        self._mask = mask
        self._prepare = prepare
        self._witness = witness
        self._lock = threading.RLock()
        self._reopening = threading.RLock()
        self._interrupter = Interrupter(self._connection, runs=self.runs, notify=self.notify)
        self._execution: Execution | None = None
        self._commands = 0
        #: Whether a key that was meant to signal may be waiting in the terminal.
        self._stray = False
        self._talker = Talker(self)
        #: Terminals that show what the shell says.
        self._watchers: list[Callable[[str], None]] = []
        self._door: Door | None = None

    def __repr__(self) -> str:
        return f"<ShellSession {self.name} of {self.container}: {self.state}>"

    def __enter__(self) -> Self:
        """Open, and wait for the first prompt."""
        self.open()
        self.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    # Life

    def open(self) -> None:
        """Start the shell and return at once; :meth:`wait_ready` waits for it."""
        self._connection.open()

    def wait_ready(self, timeout: float = START_TIMEOUT) -> None:
        """Wait for the shell's first prompt.

        Args:
            timeout: Seconds.

        Raises:
            TargetError: The container cannot be used, or has no shell.
            ShellStartFailed: The shell did not come to a prompt.
        """
        if not self._connection.wait_ready(timeout):
            self.close()
            raise startup.no_prompt(self.container, timeout, self._connection.greeting)
        self._interrupter.settle()

    def close(self, *, wait: bool = True) -> None:
        """End the shell and everything it started in its terminal session.

        Args:
            wait: Wait until the container has been tidied; else it goes on in the background.
        """
        with self._lock:
            door, self._door = self._door, None
            pump = self._connection.close()
        if door is not None:
            door.close()
        if pump is not None:
            pump.stop()
            pump.join(CLOSE_TIMEOUT)
        if wait:
            self.wait_closed()

    def wait_closed(self) -> None:
        """Wait until the container has been tidied of shells that were closed."""
        self._connection.wait_closed()

    def abandon(self) -> None:
        """Stop waiting for a first prompt: :meth:`wait_ready` raises at once."""
        if self._connection.abandon():
            self.close(wait=False)

    def reopen(self) -> None:
        """Start a new shell, in the directory of the last one where that still exists.

        Threads that do so at once take turns.
        """
        with self._reopening:
            cwd = self.cwd
            self.close(wait=False)
            self.open()
            self.wait_ready()
            if cwd is not None:
                self.wait(self.submit(f"cd -- {shlex.quote(cwd)}", ours=True))
            if self._prepare is not None:
                self._prepare(self)

    @property
    def alive(self) -> bool:
        """Whether there is a shell, at its prompt or on its way to it."""
        return self._connection.alive

    @property
    def at_prompt(self) -> bool:
        """Whether a command can be given to it at once."""
        return (
            self.alive
            and self._connection.ready
            and self._execution is None
            and not self._interrupter.sending
        )

    @property
    def busy(self) -> bool:
        """Whether a command is running."""
        return self._execution is not None

    @property
    def state(self) -> str:
        """``starting``, ``idle``, ``busy``, ``exited (STATUS)`` or ``closed``."""
        connection = self._connection
        if connection.closed or connection.failure is not None:
            return "closed"
        if connection.exit_status is not None:
            return f"exited ({connection.exit_status})"
        if not connection.ready:
            return "starting"
        return "busy" if self.busy else "idle"

    @property
    def helper(self) -> str:
        """A shell of the POSIX family in the container, for short scripts beside this one."""
        return self._connection.helper

    @property
    def pid(self) -> int | None:
        """The shell's process id in the container, once it is at its first prompt."""
        return self._connection.pid

    @property
    def exit_status(self) -> int | None:
        """What the shell, or the engine's client, ended with; None before."""
        return self._connection.exit_status

    @property
    def turn(self) -> tuple[str, int]:
        """The nonce of the shell's marks, and the number of the last command."""
        conversation = self._connection.conversation
        return (conversation.nonce, conversation.seq) if conversation is not None else ("", 0)

    @property
    def side(self) -> SideShell:
        """A second shell in the same container, which answers questions while this one works."""
        return self._connection.side

    @property
    def commands(self) -> int:
        """A number that changes with each command, ours included, and with each new shell."""
        return self._commands + self._connection.starts

    @property
    def may_be_asked(self) -> bool:
        """Whether a statement of ours would disturb nothing: no command, and no DEBUG trap."""
        conversation = self._connection.conversation
        return self.at_prompt and conversation is not None and not conversation.state.debug_trap

    # Commands

    def run(
        self,
        code: str,
        timeout: float | None = None,
        *,
        check: bool = False,
        on_output: OnOutput | None = None,
    ) -> CommandResult:
        """Run `code` to its end, as if it were typed.

        Args:
            code: Any number of lines.
            timeout: Seconds; None for no limit.
            check: Raise if the exit code is not 0.
            on_output: Called with each piece of output, in the session's thread. What it raises
                interrupts the command, and is raised here when that has ended.

        Returns:
            The result; its output is what a terminal would have received.

        Raises:
            CommandFailed: With `check`, if the exit code is not 0.
            CommandTimedOut: The time was up; the command was interrupted, the shell is usable.
            ShellExited: The shell ended; :meth:`reopen` starts another.
            ShellBusy: Another command is running.
        """
        timeout = time_limit(timeout)
        self.wait_ready()
        execution = self.submit(code, on_output=on_output, keep=True)
        result = self.wait(execution, timeout)
        return result.check() if check else result

    def wait(self, execution: Execution, timeout: float | None = None) -> CommandResult:
        """Wait for the end of a command that :meth:`submit` began.

        Args:
            execution: The command.
            timeout: Seconds from now; None for no limit.

        Raises:
            CommandTimedOut: The time was up; the command was interrupted, the shell is usable.
            ShellExited: The shell ended.
        """
        timeout = time_limit(timeout)
        try:
            return execution.future.result(timeout)
        except TimeoutError as error:
            if error is execution.fault:
                raise
            partial = self.stop(execution)
            message = f"timed out after {timeout:g} s" if timeout is not None else "timed out"
            raise CommandTimedOut(message, partial) from error
        except KeyboardInterrupt:
            self.interrupt()
            raise

    def submit(
        self,
        code: str,
        *,
        on_output: OnOutput | None = None,
        keep: bool = False,
        talked: bool = False,
        ours: bool = False,
        attended: bool = False,
    ) -> Execution:
        """Give `code` to the shell, which must be ready, and return at once.

        Args:
            code: Any number of lines.
            on_output: Called with each piece of output, in the session's thread.
            keep: Keep the output for the result.
            talked: It is started to be talked to.
            ours: It is no command of the person's: only `on_output` hears what it prints.
            attended: A person sits at the terminal, which shows what they type.
        """
        if not isinstance(code, str):
            raise UsageError(f"code is a str, not {type(code).__name__}; give the text to run")
        self._let_ours_end()
        self._interrupter.settle()
        with self._lock:
            pump = self._connection.require_ready()
            if self._execution is not None:
                raise ShellBusy(
                    f"session {self.name} is running a command; wait for it or interrupt it"
                )
            execution = Execution(
                code, on_output, Capture() if keep else None, ours=ours, attended=attended
            )
            self._execution = execution
            self._commands += 1
            if not ours:
                self._talker.dialogue.begin(talked=talked)
            if self._witness is not None and not ours:
                self._witness.began(self, code)
            stray, self._stray = self._stray, False
            if pump.submit(code, stray=stray, attended=attended):
                return execution
            self._execution = None
            if not ours:
                self._talker.dialogue.end("could not begin: the shell is gone")
        # The shell ended a moment ago, and its status is on its way.
        pump.join(CLOSE_TIMEOUT)
        raise ShellExited(f"exit status {self.exit_status}")

    def _let_ours_end(self) -> None:
        """Wait for a question of completion's: it is over in a moment, and nobody's business."""
        execution = self._execution
        if execution is not None and execution.ours:
            wait([execution.future], OURS_TIMEOUT)

    def stop(self, execution: Execution) -> CommandResult:
        """Interrupt one command, ever harder, until it ends; return what came of it."""
        for _ in range(3):
            if self.runs(execution):
                self.interrupt()
            try:
                return execution.future.result(STOP_GRACE)
            except TimeoutError:
                continue
            except ShellExited as error:
                if isinstance(error.result, CommandResult):
                    return error.result
        return execution.result(1, self.cwd or "/")

    def interrupt(self) -> None:
        """Interrupt the running command: SIGINT; again, SIGQUIT; again, SIGKILL to its group."""
        execution = self._execution
        if execution is not None:
            self._interrupter.interrupt(execution)

    # Programs that talk

    def send(self, text: str, *, enter: bool = True) -> None:
        """Type `text` to the program that runs, or start it as a command where nothing runs.

        As at a terminal: what the program does not read before it ends, the shell reads. A
        program that reads whole lines gets at most 4,095 bytes of each, for that is what Linux
        keeps of one (termios(3)).

        Args:
            text: What to type; a newline in it is the key Enter.
            enter: Press Enter behind it.

        Raises:
            ShellIdle: Nothing runs, and `text` without Enter is no command.
            ExpectEnded: The program that was talked to has ended, and nobody was told so far; the
                text was not typed. Sent again, it is run as a command.
            ShellExited: The shell ended.
        """
        self._talker.send(text, enter=enter)

    def send_keys(self, *names: str) -> None:
        """Press keys in the terminal of the program that runs.

        Args:
            names: Such as ``C-c``, ``C-d``, ``Escape``, ``Tab``, ``Up``, ``F1``, ``M-x``; see
                :func:`~ctrkernel.protocol.keys.key_bytes`.

        Raises:
            UsageError: There is no such key.
            ShellIdle: Nothing runs.
            ExpectEnded: The program that was talked to has ended, and nobody was told so far.
        """
        self._talker.press(names)

    def expect(
        self,
        pattern: str | re.Pattern[str] | None,
        *,
        timeout: float | None = 10.0,
        cancelled: threading.Event | None = None,
    ) -> str:
        """Wait for output that matches, and return all that came up to the match's end.

        What is returned is consumed: the next call looks at what came after it. Output counts
        from the command's start; that of background jobs between commands does not. At most the
        last 1,048,576 characters are kept unread, and a match that comes in pieces is at most
        65,536 long. See :mod:`ctrkernel.session.dialogue` for line ends and escape sequences.

        Args:
            pattern: A regular expression of Python's, not anchored, which sees what came so far:
                ``a+`` matches at the first ``a``. None waits for the command's end.
            timeout: Seconds; None for no limit.
            cancelled: Set it and call :meth:`wake` to end the wait.

        Raises:
            UsageError: `pattern` is no regular expression.
            ExpectTimedOut: It did not come in time; ``.output`` has what came, which stays unread.
            ExpectEnded: The command or the shell ended first; ``.output`` as above.
            CommandInterrupted: `cancelled` was set.
        """
        return self._talker.expect(pattern, timeout=timeout, cancelled=cancelled)

    def wake(self) -> None:
        """Have :meth:`expect` look at its ``cancelled`` event now."""
        self._talker.dialogue.wake()

    def require_seen(self) -> None:
        """Raise ExpectEnded, once, if the program that was talked to has ended unnoticed."""
        self._talker.require_seen()

    # A person at a terminal

    def interact(self, *, detach_keys: str = DETACH_KEYS) -> str | None:
        """Hand this shell to the person at the process's terminal, and take it back.

        Each line that they enter is a command of this session, so that directory, variables and
        functions carry both ways. While one runs the terminal is raw and passed through.

        Args:
            detach_keys: Those that leave a command running, in the engine's notation. At the
                prompt Ctrl-D hands the shell back.

        Returns:
            What they left behind, such as a command that runs on; None where nothing is.

        Raises:
            UsageError: There is no terminal; or the keys are none.
        """
        from ctrkernel.session.visitor import visit_here  # noqa: PLC0415 - few sessions need it

        self.wait_ready()
        return visit_here(self, DetachKeys(detach_keys))

    def open_door(self) -> str:
        """Let ``ctrkernel shell --join`` of the same user in; return the door's path.

        It is closed with the session.

        Raises:
            SessionClosed: There is no session to let anybody into.
        """
        from ctrkernel.session.door import Door  # noqa: PLC0415 - few sessions need it

        with self._lock:
            self._connection.require_open()
            if self._door is None:
                self._door = Door(self)
            return self._door.path

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Have `watcher` called, in the session's thread, with all that the shell says."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[str], None]) -> None:
        """Undo :meth:`watch`."""
        self._watchers.remove(watcher)

    def pass_on(self, execution: Execution, data: bytes) -> None:
        """Type what a person types while `execution` runs, and do not wait."""
        self._talker.pass_on(execution, data)

    def type(self, data: bytes) -> None:
        """Type bytes, as a keyboard would."""
        self._connection.type(data)

    def resize(self, rows: int, columns: int) -> None:
        """Set the terminal's size in characters.

        Raises:
            UsageError: No terminal has that size.
        """
        for side in (rows, columns):
            if not isinstance(side, int) or not 1 <= side <= LONGEST_SIDE:
                raise UsageError(
                    f"a terminal has 1 to {LONGEST_SIDE:,} rows and columns, not {side!r}"
                )
        self.rows, self.columns = rows, columns
        if self._witness is not None:
            self._witness.resized(self)
        self._connection.resize(rows, columns)

    # What its own parts ask for

    @property
    def connection(self) -> Connection:
        """The way to the shell."""
        return self._connection

    @property
    def lock(self) -> threading.RLock:
        """Held while a command begins or ends."""
        return self._lock

    @property
    def execution(self) -> Execution | None:
        """The command that is running now."""
        return self._execution

    @property
    def talker(self) -> Talker:
        """What types to the running command, and keeps what it says."""
        return self._talker

    def hide(self, text: str) -> str:
        """Return `text` without secrets."""
        return self._mask.hide(text) if self._mask is not None else text

    def runs(self, execution: Execution) -> bool:
        """Whether this is the command that is running now."""
        return self._execution is execution

    def notify(self, line: str) -> None:
        """Tell whoever waits for a command why it does not end."""
        if self._on_notice is not None:
            self._on_notice(line)

    # What the pump tells, in its thread

    def on_ready(self, ready: Ready) -> None:
        """The shell is at its first prompt."""
        self.shell = ready.shell

    def on_output(self, text: str, *, late: bool) -> None:
        """Give output to the running command, or to whoever takes late output."""
        execution = self._execution
        if execution is not None and execution.ours and not late:
            # Neither in a transcript nor in a dialogue: a terminal may echo a secret's pieces.
            self._hand_over(execution, text)
            return
        if self._on_shown is not None:
            self._on_shown(text)
        if self._witness is not None:
            self._witness.shown(self, text)
        for watcher in tuple(self._watchers):
            watcher(text)
        if execution is not None and not (late and self._on_late is not None):
            self._talker.dialogue.add(text)
            self._hand_over(execution, text)
        elif self._on_late is not None:
            self._on_late(text)

    def _hand_over(self, execution: Execution, text: str) -> None:
        if not execution.take(text):
            self.interrupt()

    def on_done(self, done: Done) -> None:
        """The running command ended."""
        conversation = self._connection.conversation
        self.cwd, self.home = done.cwd, done.home
        with self._lock:
            # Together: whoever finds no command must find how the last one ended.
            execution, self._execution = self._execution, None
            if execution is not None and execution.ours and conversation is not None:
                conversation.forget_last()
            else:
                self._talker.dialogue.end(f"ended with exit status {done.status}")
        if execution is not None:
            unread = execution.interrupts > 0 and done.status != INTERRUPTED
            self._stray = unread or execution.typed
            if execution.interrupts and conversation is not None:
                conversation.interrupted = True
            execution.end(execution.result(done.status, done.cwd))

    def on_quiet(self) -> None:
        """A running command is silent: a shell that was stopped would stay so for ever."""
        execution = self._execution
        if execution is not None:
            self._interrupter.look_at_silent(execution)

    def on_exit(self, status: int) -> None:
        """The shell, or the engine's client, is gone."""
        conversation = self._connection.conversation
        if conversation is not None:
            self.cwd = conversation.left_in or self.cwd
        self._end_with(lambda: self._why_gone(status))

    def on_failure(self, error: BaseException) -> None:
        """The pump failed: a fault of ours, and nothing can be typed any more."""
        self._end_with(lambda: f"exit status 255: {one_line(repr(error))}")

    def _end_with(self, message: Callable[[], str]) -> None:
        with self._lock:
            self._talker.dialogue.end(f"ended with the shell, exit status {self.exit_status},")
            execution, self._execution = self._execution, None
        if execution is not None:
            result = execution.result(self.exit_status or 0, self.cwd or "/")
            execution.lost = self._connection.never_began
            gone = ShellExited(message(), result)
            gone.__cause__ = execution.fault
            execution.future.set_exception(gone)

    def _why_gone(self, status: int) -> str:
        trouble = self._connection.trouble()
        return f"exit status {status}" + (f": {trouble}" if trouble is not None else "")
