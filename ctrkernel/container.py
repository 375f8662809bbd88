"""A container, and the shells, files and one-shot commands in it: the Python API.

::

    from ctrkernel import attach

    with attach("web") as web:
        shell = web.session()
        shell.run("cd /srv && make", check=True)
        print(shell.run("git describe").output)

A container owns its sessions: they end before it does. Every method may be called from any thread.
"""

from __future__ import annotations

import os
import re
import shlex
import threading
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from ctrkernel.engine.engine import find_engine
from ctrkernel.engine.living import Living
from ctrkernel.errors import CommandInterrupted, UsageError, one_line
from ctrkernel.session.aside import run_aside
from ctrkernel.session.launcher import Screen
from ctrkernel.session.mask import Mask
from ctrkernel.session.shell import ShellSession
from ctrkernel.session.time_limit import time_limit
from ctrkernel.session.variables import Variables, exported, values_of
from ctrkernel.transfer.files import Files, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.engine.ownership import Ownership
    from ctrkernel.engine.transcript import TranscriptFolder
    from ctrkernel.session.cast import Witness
    from ctrkernel.session.exec import OnExecOutput
    from ctrkernel.session.result import CommandResult, ExecResult

#: The session that is meant where none is named.
MAIN = "main"
#: A session's name: a word that is no option.
_SESSION_NAME = re.compile(r"\w[\w.-]*")


def attach(
    target: str,
    *,
    engine: Engine | None = None,
    shell: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Container:
    """Return a running container to work in; its main shell starts at its first use.

    Args:
        target: A name, an id, the unique beginning of an id, or a compose service.
        engine: None for the one that ``CTRKERNEL_ENGINE`` names, else docker, else podman.
        shell: The shell of its sessions, arguments included; None for ``CTRKERNEL_SHELL``, else
            bash where there is one, else sh.
        env: Variables for its sessions.

    Raises:
        TargetError: It cannot be used; the message says what to type.
        EngineError: The engine does not answer.
    """
    chosen = engine or find_engine(os.environ)
    info = chosen.require_running(chosen.inspect(target))
    return Container(chosen, info.name, shell=shell or os.environ.get("CTRKERNEL_SHELL"), env=env)


def list_containers(
    *,
    all: bool = False,  # noqa: A002 - the CLI's word
    engine: Engine | None = None,
) -> list[ContainerInfo]:
    """List the running containers, or `all` of them, the newest first.

    Raises:
        EngineError: The engine does not answer.
    """
    return (engine or find_engine(os.environ)).containers(all=all)


class Container(Living, Files):
    """One container; get one by :func:`attach` or :func:`ctrkernel.run_container`.

    Args:
        engine: The engine's command line.
        name: The container's name or id; not looked at before it is needed.
        shell: The shell of its sessions, arguments included; None to ask the container.
        env: Variables for its sessions.
        on_late: Called, in a session's thread, with output that belongs to no running command.
        on_notice: Called with a line that says why an interrupt does not reach the container.
        ownership: Removes the container when it is closed.
        transcripts: Keeps what it and its shells print.
        mask: Takes secrets out of all that is shown; None for one of its own.
        screen: Asked for each new shell's terminal.
        witness: Told of what happens in its shells.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        shell: str | None = None,
        env: Mapping[str, str] | None = None,
        on_late: Callable[[str], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
        ownership: Ownership | None = None,
        transcripts: TranscriptFolder | None = None,
        mask: Mask | None = None,
        screen: Callable[[], Screen] = Screen,
        witness: Witness | None = None,
    ) -> None:
        self.engine = engine
        self.name = name
        self._ownership = ownership
        self._transcripts = transcripts
        self.mask = mask if mask is not None else Mask()
        #: What its shells were given, and new ones will be.
        self.variables = Variables(self.mask)
        self._shell = shell
        self._screen = screen
        self._witness = witness
        self._env = dict(env or {})
        self._on_late = on_late
        self._on_notice = on_notice
        self._lock = threading.RLock()
        self._sessions: dict[str, ShellSession] = {}
        self._ending: list[ShellSession] = []
        #: All that were made and are held by somebody, or by their own thread: one that was closed
        #: or replaced here may have been reopened since.
        self._children: WeakSet[ShellSession] = WeakSet()
        #: Those that :meth:`fresh` waits for.
        self._starting: list[ShellSession] = []
        #: Those that were not given the variables.
        self._bare: WeakSet[ShellSession] = WeakSet()
        #: Status and directory of shells that ended and were not replaced yet.
        self._lost: dict[str, tuple[int, str | None]] = {}

    def __repr__(self) -> str:
        with self._lock:
            sessions = ", ".join(self._sessions)
        return f"<Container {self.name} sessions=[{sessions}]>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Shells

    @property
    def sessions(self) -> dict[str, ShellSession]:
        """The sessions that were opened, by name."""
        with self._lock:
            return dict(self._sessions)

    def session(self, name: str = MAIN) -> ShellSession:
        """Return the persistent shell `name`, at its prompt or busy; opened at its first use.

        A shell that has ended is replaced by a new one in the same directory.

        Raises:
            UsageError: `name` is no name for a session.
            TargetError: The container cannot be used.
            ShellStartFailed: The shell does not come to a prompt.
        """
        return self.ready(name)[0]

    def run(self, code: str, timeout: float | None = None, *, check: bool = False) -> CommandResult:
        """Run `code` in the main session; see :meth:`ShellSession.run`."""
        return self.session().run(code, timeout, check=check)

    def open(self, name: str = MAIN) -> ShellSession:
        """Start the shell `name`, if it is not there, and do not wait for it.

        Raises:
            UsageError: `name` is no name for a session.
        """
        if not _SESSION_NAME.fullmatch(name):
            raise UsageError(
                f"{one_line(name, limit=40)!r} is no name for a session; "
                "use letters, digits, _, . and -"
            )
        with self._lock:
            session = self._sessions.get(name)
            if session is not None and session.alive:
                return session
            if session is not None:
                if session.exit_status is not None and session.pid is not None:
                    self._lost[name] = session.exit_status, session.cwd
                session.close(wait=False)
            session = self._new_session(name)
            session.open()
            self._sessions[name] = session
            return session

    def ready(self, name: str = MAIN) -> tuple[ShellSession, str]:
        """Return the shell `name`, and a line to show if it replaces one that ended.

        Raises:
            UsageError: `name` is no name for a session.
            TargetError: The container cannot be used.
            ShellStartFailed: The shell does not come to a prompt.
        """
        session = self.open(name)
        session.wait_ready()
        with self._lock:
            lost = self._lost.pop(name, None)
        self._prepare(session)
        if lost is None:
            return session, ""
        status, cwd = lost
        moved = (
            cwd is None
            or session.wait(session.submit(f"cd -- {shlex.quote(cwd)} 2>/dev/null", ours=True)).ok
        )
        which = "" if name == MAIN else f" {name}"
        notice = f"new shell{which} in {session.cwd or '/'}; the last one ended with exit status "
        gone = "" if moved else f", and its directory {cwd} is gone"
        return session, self.mask.hide(f"{notice}{status}{gone}")

    def fresh(self, name: str = MAIN, *, cancelled: Callable[[], bool] | None = None) -> None:
        """Start a new shell `name` in place of the present one, which ends once it is ready.

        Args:
            name: The session's name.
            cancelled: True before the new shell is ready leaves the present one where it is.

        Raises:
            TargetError: The container cannot be used; the present shell stays.
            ShellStartFailed: The shell does not come to a prompt; the present one stays.
            CommandInterrupted: `cancelled` said so; the present shell stays.
        """
        session = self._new_session(name)
        self._starting.append(session)
        try:
            # From here on abandon() finds it; what came before only `cancelled` knows.
            _go_on(cancelled)
            session.open()
            session.wait_ready()
            self._prepare(session)
            _go_on(cancelled)
        except BaseException:
            session.close(wait=False)
            raise
        finally:
            self._starting.remove(session)
        with self._lock:
            old = self._sessions.get(name)
            self._sessions[name] = session
            self._lost.pop(name, None)
        if old is not None:
            old.close(wait=False)

    def close_session(self, name: str) -> None:
        """End the shell `name`; nothing happens where there is none."""
        with self._lock:
            session = self._sessions.pop(name, None)
            self._lost.pop(name, None)
        if session is not None:
            session.close()

    def abandon(self) -> None:
        """Stop waiting for shells that have not come to their first prompt."""
        for session in [*self.sessions.values(), *self._starting]:
            session.abandon()

    def _prepare(self, session: ShellSession) -> None:
        """Give a new shell the variables that the others were given."""
        if session in self._bare:
            self._bare.discard(session)
            self.variables.apply(session)

    def _new_session(self, name: str) -> ShellSession:
        transcripts, screen = self._transcripts, self._screen()
        session = ShellSession(
            self.engine,
            self.name,
            name=name,
            shell=self._shell,
            env={**screen.env, **self._env},
            rows=screen.rows,
            columns=screen.columns,
            on_late=self._on_late,
            on_notice=self._on_notice,
            on_shown=transcripts.session(self.name, name) if transcripts is not None else None,
            mask=self.mask,
            prepare=self.variables.apply,
            witness=self._witness,
        )
        with self._lock:
            self._children.add(session)
        if self.variables:
            self._bare.add(session)
        return session

    # Programs

    def exec(
        self,
        argv: Sequence[str],
        *,
        user: str | None = None,
        workdir: str | None = None,
        env: Mapping[str, str] | None = None,
        session_env: str | None = None,
        tty: bool = False,
        input: str | bytes | None = None,  # noqa: A002 - subprocess's word
        timeout: float | None = None,
        check: bool = False,
        on_output: OnExecOutput | None = None,
        on_notice: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ExecResult:
        """Run a program once, without a shell; any number at once, from any thread.

        Args:
            argv: The program and its arguments.
            user: A name or uid, with or without a group; None for the container's own.
            workdir: An absolute path in the container; None for the image's.
            env: Variables; their values stand on no argv.
            session_env: The name of a session, to have its directory and exported variables.
            tty: Give it a terminal; all its output is stdout then.
            input: What it reads on stdin; text is encoded as UTF-8.
            timeout: Seconds after which it is ended in the container.
            check: Raise if the exit code is not 0.
            on_output: Called in this thread with ``stdout`` or ``stderr`` and a piece of text.
            on_notice: Called with a line if the program cannot be ended; else as the container's.
            cancelled: Asked ten times a second; true ends the program in the container.

        Raises:
            UsageError: It cannot be run so; `argv` is a list, never a string.
            TargetError: The container cannot be used.
            CommandFailed: With `check`, if the exit code is not 0.
            CommandTimedOut: The time was up; the error carries the result.
            CommandInterrupted: `cancelled` said so; the error carries the result.
            ShellBusy: The session of `session_env` runs a command, and cannot be asked.
        """
        from ctrkernel.session.exec import Program, run_program  # noqa: PLC0415 - a fast start

        theirs: dict[str, str] = {}
        unset: tuple[str, ...] = ()
        if session_env is not None:
            shell = self.session(session_env)
            theirs, given = exported(shell)
            unset = tuple(sorted(given - theirs.keys() - (env or {}).keys()))
            workdir = workdir or shell.cwd
        helper = next((each.helper for each in self.sessions.values() if each.pid), "sh")
        result = run_program(
            self.engine,
            self.name,
            Program(
                argv=argv,
                user=user,
                workdir=workdir,
                env={**theirs, **(env or {})},
                unset=unset,
                tty=tty,
                input=input.encode(errors="surrogateescape") if isinstance(input, str) else input,
                timeout=time_limit(timeout),
                helpers=tuple(dict.fromkeys((helper, "sh", "bash"))),
            ),
            mask=self.mask,
            on_output=on_output,
            on_notice=on_notice or self._on_notice,
            cancelled=cancelled,
        )
        return result.check() if check else result

    # Files

    def directories(self, session: str, paths: Sequence[str]) -> tuple[str, str | None]:
        """Return what relative paths of a session start from, and what ``~`` is.

        Where all `paths` are absolute no shell is needed, and none is started.
        """
        if all(path.startswith("/") for path in paths):
            return "/", None
        shell = self.session(session)
        if shell.cwd is None:
            run_aside(shell, ":")  # a shell says where it is at the end of each line
        return shell.cwd or "/", shell.home or None

    def surroundings(self, session: str, words: Sequence[str]) -> Surroundings:
        """Return what `words`, paths in the container, start from in a session.

        Raises:
            TransferError: A word holds what is no variable.
            ShellBusy: The session runs a command and cannot be asked for a variable.
        """
        from ctrkernel.transfer.patterns import variables  # noqa: PLC0415 - a shell needs none

        names = variables(words)
        base, home = self.directories(session, words)
        values = values_of(self.session(session), names) if names else {}
        shell = self.sessions.get(session)
        pid = shell.pid or 0 if shell is not None and shell.alive else 0
        return Surroundings(base=base, home=home, values=values, pid=pid)

    # Life

    def close(self, *, wait: bool = True) -> None:
        """End its shells, and what they started; the container goes on, unless we made it.

        Args:
            wait: Wait until the container has been tidied; else it goes on in the background.
        """
        self.end_shells(wait=wait)
        self.release()
        if self._ownership is not None and wait:
            self._ownership.wait()
        if self._transcripts is not None:
            self._transcripts.close(wait=wait and self._ownership is not None)

    def release(self) -> None:
        """Have the container removed in the background, if we made it."""
        if self._ownership is not None:
            self._ownership.release()

    def end_shells(self, *, wait: bool = True) -> None:
        """End its shells, and what they started; the container goes on.

        Args:
            wait: Wait until the container has been tidied; else it goes on in the background.
        """
        with self._lock:
            self._sessions = {}
            sessions = list(self._children)
            self._ending += sessions
            self._lost.clear()
        for session in sessions:
            session.close(wait=False)
        if wait:
            self.wait_closed()

    def wait_closed(self) -> None:
        """Wait until the container has been tidied of shells that were closed."""
        with self._lock:
            ending, self._ending = self._ending, []
        for session in ending:
            session.wait_closed()

    def _end_shells(self) -> None:
        self.end_shells()

    def _started(self, info: ContainerInfo) -> None:
        if self._transcripts is not None:
            # Not since it started: a quick program prints before the engine notes that it runs.
            self._transcripts.follow(self.engine, self.name, since=info.finished or info.started)

    def _removed(self) -> None:
        if self._ownership is not None:
            self._ownership.dismiss()
        if self._transcripts is not None:
            self._transcripts.close(wait=True)


def _go_on(cancelled: Callable[[], bool] | None) -> None:
    if cancelled is not None and cancelled():
        raise CommandInterrupted("interrupted before a new shell was ready; nothing has changed")
