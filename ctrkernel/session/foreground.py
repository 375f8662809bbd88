"""A shell, or a command, for the person at the terminal: ``ctrkernel shell``."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ctrkernel.engine.foreground import run_in_foreground
from ctrkernel.engine.lifecycle import reason_of
from ctrkernel.engine.reaper import PID_WORD, START_WORD, Reaper, unable_argv
from ctrkernel.errors import ContainerNotRunning, EngineError, UsageError, one_line
from ctrkernel.protocol.detach import DETACH_KEYS, DetachKeys
from ctrkernel.session import inside
from ctrkernel.session.relay import Left, relay
from ctrkernel.session.terminal import Terminal, ending_by_signal, is_terminal
from ctrkernel.session.transport import PtyTransport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine

#: Seconds in which the engine starts a container.
START_TIMEOUT = 60.0
#: Starts bash where there is one, else sh.
_CHOOSE = "command -v bash >/dev/null 2>&1 && exec bash; exec sh"
#: Looks for the program $1 as the engine does, by the path or in PATH: builtins are no programs.
_FIND = r"""
case $1 in
*/*)
  [ -e "$1" ] || exit 97
  [ -x "$1" ] && [ ! -d "$1" ] || exit 96
  exit 0 ;;
esac
set -f; IFS=:
for d in $PATH; do
  [ -x "${d:-.}/$1" ] && [ ! -d "${d:-.}/$1" ] && exit 0
done
exit 97
"""
_MISSING, _NO_PROGRAM = 97, 96
#: Seconds for that.
FIND_TIMEOUT = 30.0
#: What the engine's own client is told, so that it leaves no keys out: two that nobody types.
_NO_KEYS = "ctrl-^,ctrl-_,ctrl-^,ctrl-_"
#: The least status that may mean that the client, and not the program, has ended.
_CLIENT_FAILED = 125
#: What to do to a container in each state to get a shell.
_STARTS = {"created": "start", "exited": "start", "paused": "unpause"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for.

    Attributes:
        target: A container's name or id.
        command: The command and its arguments; empty for a shell.
        shell: Which shell, with arguments; empty for bash where there is one, else sh.
        user: A name or uid, with or without a group.
        workdir: An absolute path in the container.
        env: ``NAME=VALUE``, or ``NAME`` to pass this process's own value on.
        start: Start a container that is stopped, and wake one that is paused.
        detach_keys: Those that leave it, in the engine's notation.
        logs: How many of the container's last log lines to show first.
    """

    target: str
    command: Sequence[str] = ()
    shell: str = ""
    user: str | None = None
    workdir: str | None = None
    env: Sequence[str] = field(default_factory=list)
    start: bool = False
    detach_keys: str = DETACH_KEYS
    logs: int = 0


def run_shell(engine: Engine, asked: Asked) -> int:
    """Give the person at the terminal a shell and return its exit status.

    Where stdin or stdout is no terminal, the command runs without one: stdin is passed on, stdout
    and stderr are told apart. When the person's side ends, by the keys, a signal or a closed
    window, what was started in the container is hung up.

    Raises:
        TargetError: The container cannot be used.
        UsageError: Something asked for cannot be.
    """
    keys = DetachKeys(asked.detach_keys)
    command = _command(asked)
    environ = _environ(asked.env)
    info = _running(engine, asked)
    if asked.logs:
        run_in_foreground(engine.command("logs", f"--tail={asked.logs}", info.name))
    on_terminal = is_terminal(0, 1)
    nonce = secrets.token_hex(8)
    # A value on argv is seen by every user of this machine: the client takes it from its own
    # environment.
    names = ["CTRKERNEL_NONCE", *environ]
    if on_terminal and "TERM" in os.environ and "TERM" not in environ:
        names.append("TERM")
    environ["CTRKERNEL_NONCE"] = nonce
    if (refused := _refused(engine, info, asked, command[0], environ)) is not None:
        line, status = refused
        sys.stderr.write(f"ctrkernel: {line}\n")
        return status
    argv = engine.exec_argv(
        info.name,
        command,
        tty=on_terminal,
        interactive=True,
        env_names=names,
        user=asked.user,
        workdir=asked.workdir,
        detach_keys=_NO_KEYS if on_terminal else None,
    )
    hang_up = engine.exec_argv(
        info.name, inside.hang_up_argv("sh", PID_WORD, START_WORD, nonce), user=asked.user
    )
    reaper = Reaper(hang_up, unable=unable_argv(engine, info.name), environ=os.environ)
    status = _CLIENT_FAILED
    try:
        if on_terminal:
            status = _on_terminal(argv, environ, keys)
        else:
            with ending_by_signal():
                status = run_in_foreground(argv, environ=environ)
    finally:
        if 0 <= status < _CLIENT_FAILED:
            reaper.dismiss()
        else:
            reaper.release()
            reaper.wait()
    return max(status, 0) if status != _HUNG_UP else 0


#: The person left, and the shell is to be hung up.
_HUNG_UP = -1


def _on_terminal(argv: Sequence[str], environ: dict[str, str], keys: DetachKeys) -> int:
    with Terminal() as terminal:
        rows, columns = terminal.size()
        program = PtyTransport(argv, environ={**os.environ, **environ}, rows=rows, columns=columns)
        left = Left.GONE
        try:
            with terminal.raw():
                left = relay(terminal, program, keys)
        finally:
            status = program.close()
        if left is Left.DETACHED:
            terminal.write(b"\nctrkernel: left the shell; it was hung up\n")
    return status if left is Left.ENDED else _HUNG_UP


def _refused(
    engine: Engine, info: ContainerInfo, asked: Asked, program: str, environ: Mapping[str, str]
) -> tuple[str, int] | None:
    """Return why `program` cannot be run, with the status that a shell has for it; None if it can.

    The engine would say it in words of its own, among the program's output. An image without sh
    cannot be asked; there it does.
    """
    argv = engine.exec_argv(
        info.name,
        ["sh", "-c", _FIND, "sh", program],
        env_names=[*environ],
        user=asked.user,
        workdir=asked.workdir,
    )
    done = engine.run(argv[1:], timeout=FIND_TIMEOUT, environ=environ)
    shown = f"{info.name} has no program '{one_line(program, limit=80)}'"
    if done.exit_code == _MISSING:
        hint = "name one of the image"
        if asked.command and not asked.shell:
            hint += f", or look around: ctrkernel shell {info.name}"
        return f"{shown}; {hint}", 127
    if done.exit_code == _NO_PROGRAM:
        return f"{shown}: it may not be executed, or is a folder; name a program", 126
    if not done.exit_code:
        return None
    # The client says it on either of its outputs.
    said = reason_of(done.stdout.decode(errors="replace") or done.message)
    if asked.user is not None or asked.workdir is not None:
        plain = engine.exec_argv(info.name, ["sh", "-c", ":"])
        if engine.run(plain[1:], timeout=FIND_TIMEOUT).exit_code == 0:
            line = f"nothing starts in {info.name}: {said}; correct --user or --workdir"
            return line, done.exit_code
    if not asked.command and not asked.shell:
        return f"no shell starts in {info.name}: {said}; name a program of it behind --", 127
    return None


def _command(asked: Asked) -> Sequence[str]:
    if asked.command and asked.shell:
        raise UsageError("--shell and a command exclude each other; leave one of them out")
    if asked.command:
        return asked.command
    if not asked.shell:
        return ("sh", "-c", _CHOOSE)
    try:
        words = shlex.split(asked.shell)
    except ValueError as error:
        raise UsageError(f"--shell {one_line(asked.shell)} cannot be read: {error}") from error
    if not words:
        raise UsageError("--shell names no program; type --shell /bin/sh")
    return words


def _environ(assignments: Sequence[str]) -> dict[str, str]:
    environ = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise UsageError(f"--env {one_line(assignment, limit=40)}: type --env NAME=VALUE")
        if equals:
            environ[name] = value
        elif name in os.environ:
            environ[name] = os.environ[name]
        else:
            raise UsageError(f"--env {name}: it is not set here; type --env {name}=VALUE")
    return environ


def _running(engine: Engine, asked: Asked) -> ContainerInfo:
    info = engine.inspect(asked.target)
    verb = _STARTS.get(info.state)
    if asked.start and verb is not None:
        done = engine.run([verb, info.name], timeout=START_TIMEOUT)
        if done.exit_code != 0:
            raise EngineError(f"`{engine.name} {verb} {info.name}`: {one_line(done.message)}")
        sys.stderr.write(f"ctrkernel: {verb.rstrip('e')}ed {info.name}\n")
        info = engine.inspect(info.id)
    try:
        return engine.require_running(info)
    except ContainerNotRunning as error:
        if verb is None or asked.start:
            raise
        raise ContainerNotRunning(f"{error}, or add --start") from error
