"""A program that is run in a container once, without a shell and, but for a wish, without a tty.

The engine cannot end an exec. So each carries a nonce in its environment; an interrupt, a time-out
and the reaper find it by that, and the engine's client stays until the program's end has been told.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.complaint import ENGINE_STATUS, Complaint
from ctrkernel.engine.process import Cancelled
from ctrkernel.engine.reaper import HANG_UP_TIMEOUT, Reaper, unable_argv
from ctrkernel.engine.streams import STDERR, STDOUT, stream_process
from ctrkernel.engine.target import check_target
from ctrkernel.errors import (
    CommandInterrupted,
    CommandTimedOut,
    CtrKernelError,
    EngineError,
    EngineNotFound,
    UsageError,
    one_line,
)
from ctrkernel.protocol.newlines import NewlineRestorer
from ctrkernel.session import inside
from ctrkernel.session.output import Capture, Coalescer
from ctrkernel.session.result import ExecResult
from ctrkernel.session.variables import check_name

if TYPE_CHECKING:
    from ctrkernel.engine.engine import Engine
    from ctrkernel.session.mask import Mask

#: Called with ``stdout`` or ``stderr`` and a piece of text.
OnExecOutput = Callable[[str, str], None]

#: Seconds from an interrupt or a time-out until the engine's client is let go of, whatever the
#: program does.
END_TIMEOUT: Final = 12.0
#: Seconds between two tries to end a program: the first may come before it began.
END_INTERVAL: Final = 1.0
#: Variables that the engine's client itself reads; their values go on argv, for they would change
#: what it does. None of them is a secret's name; one that is, is refused.
_CLIENT_READS: Final = frozenset(
    {"HOME", "PATH", "USER", "TMPDIR", "PWD", "SHELL", "LANG", "TERM", "SSLKEYLOGFILE"}
)
_CLIENT_PREFIXES: Final = (
    "BUILDKIT_",
    "BUILDX_",
    "CONTAINER",
    "DOCKER_",
    "GO",
    "LC_",
    "LD_",
    "PODMAN_",
    "REGISTRY_",
    "SSH_",
    "SSL_",
    "XDG_",
    "_CONTAINERS",
)
_SIGINT, _SIGTERM = "INT", "TERM"
_KILLED: Final = 137


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run.

    Attributes:
        argv: The program and its arguments.
        user: A name or uid, with or without a group; None for the container's own.
        workdir: An absolute path in the container; None for the image's.
        env: Variables; their values stand on no argv, but for those that the engine's client reads.
        unset: Variables of the container's that it is not to have.
        tty: Give it a terminal.
        input: What it reads on stdin; None for nothing.
        timeout: Seconds after which it is ended; None for no limit.
        helpers: Shells of the POSIX family that the container may have.
    """

    argv: Sequence[str]
    user: str | None = None
    workdir: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    tty: bool = False
    input: bytes | None = None
    timeout: float | None = None
    helpers: Sequence[str] = ("sh", "bash")

    def check(self) -> None:
        """Raise UsageError if it cannot be run."""
        if isinstance(self.argv, str) or not all(isinstance(word, str) for word in self.argv):
            raise UsageError(
                "argv is a list of words, such as ['ls', '-l']; "
                "for a line of shell use run(), or ['sh', '-c', line]"
            )
        if not self.argv or not self.argv[0]:
            raise UsageError("no program was named; give one, such as ['ls', '-l']")
        for name, value in self.env.items():
            if not isinstance(value, str):
                raise UsageError(f"the value of {name} is a str, not {type(value).__name__}")
        if any("\0" in text for text in (*self.argv, *self.env.values())):
            raise UsageError("a word or a variable holds a NUL, which no program can be given")
        for name in self.env:
            check_name(name)
        if self.workdir is not None and not self.workdir.startswith("/"):
            raise UsageError(
                f"{one_line(self.workdir, limit=80)!r} is no absolute path in the container; "
                "begin it with /"
            )
        if self.tty and self.input is not None:
            raise UsageError("a terminal and an input do not go together; leave out one of them")


def run_program(
    engine: Engine,
    container: str,
    program: Program,
    *,
    mask: Mask | None = None,
    on_output: OnExecOutput | None = None,
    on_notice: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ExecResult:
    """Run a program to its end, in this thread; any number may run at once.

    Args:
        engine: The engine's command line.
        container: The container's id or name.
        program: What to run.
        mask: Takes secrets out of the output.
        on_output: Called in this thread with pieces of the output as it comes.
        on_notice: Called with a line if the program cannot be ended.
        cancelled: Asked ten times a second; true ends the program.

    Returns:
        The result, whatever the status.

    Raises:
        UsageError: It cannot be run so.
        TargetError: The container cannot be used.
        CommandInterrupted: `cancelled` said so; it carries the result.
        CommandTimedOut: The time was up; it carries the result.
    """
    program.check()
    check_target(container)
    return _Run(
        engine,
        container,
        program,
        mask=mask,
        on_output=on_output,
        on_notice=on_notice,
        cancelled=cancelled,
    ).run()


class _Run:
    def __init__(
        self,
        engine: Engine,
        container: str,
        program: Program,
        *,
        mask: Mask | None,
        on_output: OnExecOutput | None,
        on_notice: Callable[[str], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._engine = engine
        self._container = container
        self._program = program
        self._mask = mask
        self._on_output = on_output
        self._on_notice = on_notice
        self._cancelled = cancelled
        self._nonce = secrets.token_hex(8)
        self._coalescers = {STDOUT: Coalescer(mask), STDERR: Coalescer(mask)}
        self._captures = {STDOUT: Capture(), STDERR: Capture()}
        self._newlines = NewlineRestorer() if program.tty else None
        self._started = time.monotonic()
        self._complaint = Complaint(engine.name)
        #: The signal that was sent, when, and whether there is somebody to send it.
        self._ending = ""
        self._ended_at = 0.0
        self._helpless = threading.Event()
        self._over = threading.Event()
        #: What `on_output` raised.
        self._fault: BaseException | None = None

    def run(self) -> ExecResult:
        argv, environ = self._command()
        reaper = Reaper(
            self._in_container(inside.end_program_argv(self._program.helpers[0], self._nonce)),
            unable=unable_argv(self._engine, self._container),
            environ=os.environ,
        )
        try:
            status = stream_process(
                argv,
                environ=environ,
                input=self._program.input,
                on_output=self._take,
                cancelled=self._turn,
            )
        except Cancelled:
            status = _KILLED
            self._tell_of_the_rest()
        except BaseException as error:
            if isinstance(error, OSError) and error is not self._fault:
                reaper.dismiss()
                raise self._not_started(error) from error
            # Python's own interrupt, or a fault in `on_output`: the program must not stay.
            reaper.release()
            reaper.wait()
            raise
        finally:
            self._over.set()
        reaper.dismiss()
        return self._result(status if status >= 0 else 128 - status)

    def _command(self) -> tuple[list[str], dict[str, str]]:
        program = self._program
        hidden = {name: value for name, value in program.env.items() if not _client_reads(name)}
        shown = {name: value for name, value in program.env.items() if _client_reads(name)}
        for name, value in shown.items():
            if self._mask is not None and self._mask.hide(value) != value:
                raise UsageError(
                    f"{name} holds a secret, and cannot be passed to a program without showing it "
                    "to other users of this machine; give the secret another name"
                )
        words = list(program.argv)
        if program.unset:
            script = f'unset -v {" ".join(program.unset)}; exec "$@"'
            words = [program.helpers[0], "-c", script, program.helpers[0], *words]
        argv = self._engine.exec_argv(
            self._container,
            words,
            tty=program.tty,
            interactive=program.input is not None,
            env={**shown, "CTRKERNEL_NONCE": self._nonce},
            env_names=list(hidden),
            workdir=program.workdir,
            user=program.user,
        )
        return argv, hidden

    def _in_container(self, argv: list[str]) -> list[str]:
        return self._engine.exec_argv(self._container, argv, user=self._program.user)

    # Output

    def _take(self, name: str, data: bytes) -> None:
        for where, piece in self._complaint.take(name, data):
            self._pass(where, piece)

    def _give_complaint(self) -> None:
        for where, piece in self._complaint.release():
            self._pass(where, piece)

    def _pass(self, name: str, data: bytes) -> None:
        if self._newlines is not None:
            data = self._newlines.feed(data)
        other = STDERR if name == STDOUT else STDOUT
        if self._coalescers[other].wait() is not None:
            self._give(other)
        self._coalescers[name].feed(data)
        self._give_due()

    def _give_due(self) -> None:
        for name, coalescer in self._coalescers.items():
            if coalescer.wait() == 0:
                self._give(name)

    def _give(self, name: str, *, final: bool = False) -> None:
        text = self._coalescers[name].take(final=final)
        if text:
            self._captures[name].add(text)
            if self._on_output is not None:
                try:
                    self._on_output(name, text)
                except BaseException as error:
                    self._fault = error
                    raise

    # The end

    def _turn(self) -> bool:
        """Give out what is due, and say whether the engine's client is to be let go of."""
        now = time.monotonic()
        if self._complaint.overdue:
            self._give_complaint()
        self._give_due()
        if self._ending:
            return self._helpless.is_set() or now > self._ended_at + END_TIMEOUT
        limit = self._program.timeout
        if self._cancelled is not None and self._cancelled():
            self._end(_SIGINT)
        elif limit is not None and now > self._started + limit:
            self._end(_SIGTERM)
        return False

    def _end(self, signal: str) -> None:
        self._ending, self._ended_at = signal, time.monotonic()
        threading.Thread(target=self._signal, name="ctrkernel-exec-end", daemon=True).start()

    def _signal(self) -> None:
        while not self._over.is_set():
            if not any(self._ran(helper) for helper in self._program.helpers):
                self._helpless.set()
                return
            self._over.wait(END_INTERVAL)

    def _ran(self, helper: str) -> bool:
        """Whether the container has this shell, to send the signal."""
        argv = self._in_container(inside.end_program_argv(helper, self._nonce, self._ending))
        try:
            done = self._engine.run(argv[1:], timeout=HANG_UP_TIMEOUT)
        except CtrKernelError:
            return False
        return done.exit_code not in ENGINE_STATUS

    def _tell_of_the_rest(self) -> None:
        if self._on_notice is None:
            return
        try:
            trouble = self._engine.diagnose(self._container)
        except CtrKernelError as error:
            trouble = error  # type: ignore[assignment]
        why = str(trouble) if trouble else "the container has no shell that finds it, to end it"
        self._on_notice(f"{self._program.argv[0]} may go on in the container: {why}")

    def _result(self, status: int) -> ExecResult:
        reason = ""
        said = None if self._ending else self._complaint.claim(status)
        if said is not None:
            reason = self._why(said)
            self._captures[STDERR].add(f"{reason}\n")
        self._give_complaint()
        if self._newlines is not None and (rest := self._newlines.close()):
            self._coalescers[STDOUT].feed(rest)
        for name in (STDOUT, STDERR):
            self._give(name, final=True)
        if status == _KILLED and not self._ending:
            trouble = self._engine.diagnose(self._container)
            reason = str(trouble) if trouble is not None else ""
        result = ExecResult(
            exit_code=status,
            stdout=self._captures[STDOUT].text(),
            stderr=self._captures[STDERR].text(),
            duration=time.monotonic() - self._started,
            truncated=sum(capture.dropped for capture in self._captures.values()),
            reason=reason,
        )
        if self._ending == _SIGINT:
            raise CommandInterrupted(f"exit status {status}", result)
        if self._ending:
            raise CommandTimedOut(f"timed out after {self._program.timeout:g} s", result)
        return result

    def _why(self, said: str) -> str:
        """Return why the engine could not run it; raise if that is for the container's state."""
        trouble = self._engine.diagnose(self._container)
        if trouble is not None:
            raise trouble
        said = self._mask.hide(said) if self._mask is not None else said
        program = one_line(self._program.argv[0], limit=80)
        given = self._program.workdir is not None or self._program.user is not None
        return f"cannot run '{program}': {said}; " + (
            "look at the program's name, at --user and at --workdir"
            if given
            else "name a program of the image, or use %ctr for shell"
        )

    def _not_started(self, error: OSError) -> CtrKernelError:
        if isinstance(error, FileNotFoundError | PermissionError):
            return EngineNotFound(
                f"{self._engine.program} cannot be run: {error.strerror}; "
                "reinstall it or set CTRKERNEL_ENGINE"
            )
        return EngineError(
            f"the engine's client cannot be started: {error.strerror}; "
            "give fewer or shorter words, and long text by --input"
        )


def _client_reads(name: str) -> bool:
    return (
        name in _CLIENT_READS
        or name.startswith(_CLIENT_PREFIXES)
        or name.lower() in ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
    )
