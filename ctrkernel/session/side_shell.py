"""A second shell beside a session's, which answers questions: quiet, without a terminal, lasting.

It is one ``exec -i`` of the engine's, started at the first question and ended with the session. It
reads commands of ours from its stdin. What a person typed comes to it as arguments, in single
quotes, and is never a command.
"""

from __future__ import annotations

import os
import secrets
import shlex
import threading
import time
from concurrent.futures import Future
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Cancelled, Child, Stalled
from ctrkernel.engine.reaper import PID_WORD, START_WORD, Reaper, unable_argv
from ctrkernel.errors import CtrKernelError
from ctrkernel.protocol.encoding import code_bytes
from ctrkernel.session import inside
from ctrkernel.session.launcher import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ctrkernel.engine.engine import Engine

#: Seconds that a question may take if nothing else is said.
REQUEST_TIMEOUT: Final = 0.8
#: Seconds until the shell must have started; a question does not wait so long.
START_TIMEOUT: Final = 20.0
#: Bytes of an answer; one that is longer is none.
ANSWER_LIMIT: Final = 4 * 1024 * 1024

_BASH: Final = ("--norc", "--noprofile", "-s")
#: bash where there is one, else sh. Start files are not read.
_CHOOSE: Final = (
    "if command -v bash >/dev/null 2>&1; then exec bash --norc --noprofile -s; fi; exec sh -s"
)
#: The first thing that is typed: options as they were before anybody's start files.
_PREPARE: Final = r"""
[ -z "${ZSH_VERSION-}" ] || emulate sh
unset CTRKERNEL_NONCE BASH_ENV ENV 2>/dev/null
"""
#: The first question: who are you? See proc_pid_stat(5).
_HELLO: Final = (
    r"""IFS= read -r line 2>/dev/null </proc/$$/stat && printf '%s %s' "$$" "${line##*) }" """
)
#: Which field of the rest of that line is the start time.
_START_FIELD: Final = 19


class SideShell:
    """Answers questions about one container; usable from any thread.

    Args:
        engine: The engine's command line.
        container: The container's id or name.
        helper: A shell of the POSIX family in it; bash is preferred where there is one.
        env: The variables that the session's shell was started with.
    """

    def __init__(
        self, engine: Engine, container: str, *, helper: str, env: Mapping[str, str] | None = None
    ) -> None:
        self._engine = engine
        self._container = container
        self._helper = helper
        self._env = dict(env or {})
        #: Held by the one question that is being answered.
        self._asking = threading.Lock()
        #: Guards what follows; never held while something is waited for.
        self._lock = threading.Lock()
        self._process: Future[_Process] | None = None
        self._reapers: list[Reaper] = []
        self._closed = False

    def request(
        self,
        script: str,
        *arguments: str,
        timeout: float = REQUEST_TIMEOUT,
        lasting: bool = False,
    ) -> bytes:
        """Run a script of ours and return what it printed on stdout, byte by byte.

        Its stdin is empty, and its stderr goes nowhere. The first time that a text comes as
        `script`, it is made a function; so keep scripts constant and give what varies as
        arguments.

        Args:
            script: The body of a shell function. It runs in bash where the container has one,
                else in its ``sh``, without start files.
            arguments: ``$1`` and so on: data, whatever is in them. NUL is left out.
            timeout: Seconds, with the wait for the shell to start and for other questions; what
                is left of a caller's own may be less than nothing.
            lasting: Run it in the shell itself and not in a subshell, so that what it defines is
                there for later questions.

        Returns:
            Empty where the time was up, the shell cannot be started or the script ended it. A
            script whose time was up is ended with all that it started; the next question starts
            a new shell.
        """
        deadline = time.monotonic() + timeout
        if not self._asking.acquire(timeout=max(0.0, timeout)):
            return b""
        try:
            process = self._started(deadline)
            if process is None:
                return b""
            try:
                return process.ask(script, arguments, deadline=deadline, lasting=lasting)
            except (Stalled, Cancelled, _Lost):
                self._drop(process)
                return b""
        finally:
            self._asking.release()

    def prepare(self) -> None:
        """Start the shell, unless it was, and do not wait: questions are to come."""
        self._started(time.monotonic())

    def defined(self, script: str) -> bool:
        """Whether the present shell has run `script` before; a new one begins with nothing."""
        with self._lock:
            future = self._process
        return (
            future is not None
            and future.done()
            and future.exception() is None
            and script in future.result().functions
        )

    def close(self) -> list[Reaper]:
        """End it, now and for good; return what tidies the container, to be waited for."""
        with self._lock:
            self._closed = True
            reapers, self._reapers = self._reapers, []
            future, self._process = self._process, None
        for reaper in reapers:
            reaper.release()
        if future is not None:
            work = threading.Thread(
                target=self._finish, args=(future,), name="ctrkernel-side-end", daemon=True
            )
            work.start()
        return reapers

    def _finish(self, future: Future[_Process]) -> None:
        # Whoever asks is told within a tenth of a second that it is over.
        with self._asking:
            if future.exception() is None:
                future.result().stop()

    def _started(self, deadline: float) -> _Process | None:
        with self._lock:
            if self._closed:
                return None
            if self._process is None:
                self._process = Future()
                name = "ctrkernel-side-shell"
                work = threading.Thread(
                    target=self._start, args=(self._process,), name=name, daemon=True
                )
                work.start()
            future = self._process
        try:
            return future.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            if future.done():
                self._forget(future)
            # Else it is still starting: a later question finds it.
        except (CtrKernelError, OSError, Cancelled, _Lost):
            self._forget(future)
        return None

    def _forget(self, future: Future[_Process]) -> None:
        with self._lock:
            if self._process is future:
                self._process = None

    def _start(self, future: Future[_Process]) -> None:
        try:
            process = _Process(
                self._engine,
                self._container,
                self._helper,
                env=self._env,
                cancelled=lambda: self._closed,
            )
        except BaseException as error:  # noqa: BLE001 - told to whoever waits, whatever it is
            future.set_exception(error)
            return
        with self._lock:
            closed = self._closed
            if not closed:
                self._reapers.append(process.reaper)
        if closed:
            process.stop()
            future.set_exception(_Lost())
            return
        future.set_result(process)

    def _drop(self, process: _Process) -> None:
        """Let go of a process that did not answer; it is ended in the background."""
        with self._lock:
            self._process = None
            if process.reaper in self._reapers:
                self._reapers.remove(process.reaper)
        threading.Thread(target=process.stop, name="ctrkernel-side-end", daemon=True).start()


class _Lost(Exception):
    """The shell ended, or said what is no answer."""


class _Process:
    """One such shell and the client that leads to it."""

    def __init__(
        self,
        engine: Engine,
        container: str,
        helper: str,
        *,
        env: Mapping[str, str],
        cancelled: Callable[[], bool],
    ) -> None:
        nonce = secrets.token_hex(8)
        is_bash = PurePosixPath(helper).name == "bash"
        choose = [helper, *_BASH] if is_bash else [helper, "-c", _CHOOSE]
        # An empty BASH_ENV names no start file, whatever the image says.
        variables = environment({**env, "BASH_ENV": ""}, nonce=nonce)
        argv = engine.exec_argv(container, choose, interactive=True, env=variables)
        hang_up = inside.hang_up_argv(helper, PID_WORD, START_WORD, nonce)
        self.reaper = Reaper(
            engine.exec_argv(container, hang_up),
            unable=unable_argv(engine, container),
            environ=os.environ,
        )
        #: The functions that the shell has, by the script that each was made of.
        self.functions: dict[str, str] = {}
        #: Ends each answer; never in a variable of the shell, so that no answer shows it.
        self._mark = secrets.token_hex(16)
        self._number = 0
        self._stopping = threading.Lock()
        try:
            self._child = Child(argv, cancelled=cancelled)
        except BaseException:
            self.reaper.dismiss()
            raise
        try:
            self._say_hello()
        except BaseException:
            self.stop()
            raise

    def ask(
        self, script: str, arguments: tuple[str, ...], *, deadline: float, lasting: bool
    ) -> bytes:
        """Return the answer to a question; see :meth:`SideShell.request`.

        Raises:
            Stalled: The time was up.
            Cancelled: The session was closed.
            _Lost: There is no answer.
        """
        lines = b""
        name = self.functions.get(script)
        if name is None:
            name = self.functions[script] = f"__ctrk_{len(self.functions)}"
            lines = f"{name}() {{\n{script}\n}}\n".encode()
        self._number += 1
        begin, end = (f"{self._mark} {self._number} {each}" for each in ("begin", "end"))
        call = shlex.join([name, *arguments])
        call = call if lasting else f"( {call} )"
        lines += _bytes(f"printf %s '{begin}'; {call} </dev/null 2>/dev/null; printf %s '{end}'\n")
        answer = self._exchange(lines, end.encode(), deadline)
        # What stands before it is of something that an earlier question left running.
        return answer.partition(begin.encode())[2]

    def _exchange(self, lines: bytes, end: bytes, deadline: float) -> bytes:
        if not self._child.write(lines, timeout=_left(deadline)):
            raise _Lost
        answer = bytearray()
        searched = 0
        while (at := answer.find(end, searched)) < 0:
            searched = max(0, len(answer) - len(end))
            data = self._child.read(timeout=_left(deadline))
            if not data or len(answer) > ANSWER_LIMIT:
                raise _Lost
            answer += data
        return bytes(answer[:at])

    def _say_hello(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        self.ask(_PREPARE, (), deadline=deadline, lasting=True)
        words = self.ask(_HELLO, (), deadline=deadline, lasting=False).split()
        # The pid, and the line of /proc from the state on.
        if len(words) > _START_FIELD + 1 and words[0].isdigit():
            self.reaper.tell(int(words[0]), int(words[_START_FIELD + 1]))

    def stop(self) -> None:
        """End it, and what it started in the container; waits for the client alone."""
        self.reaper.release()
        with self._stopping:
            self._child.stop()


def _bytes(text: str) -> bytes:
    """Encode; a name that is no UTF-8, as Python decodes it, becomes what it was."""
    try:
        return text.replace("\0", "").encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return code_bytes(text)


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
