"""Run one tool, within a time, and say in one line what went wrong."""

from __future__ import annotations

import fcntl
import shlex
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.names import LOGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


class SetupFailed(Exception):
    """A step cannot be done; the message is one line that says what to type next."""


def say(text: str) -> None:
    """Tell the person at the terminal which step is under way."""
    print(f"ctrkernel: {text}", file=sys.stderr, flush=True)


def query(argv: Sequence[str], *, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a short command and return what it said, whatever its status.

    Raises:
        SetupFailed: The program is missing, or has not answered after `seconds`.
    """
    try:
        return subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError as e:
        raise SetupFailed(f"{argv[0]} is not installed; install it and try again") from e
    except subprocess.TimeoutExpired as e:
        line = shlex.join(argv)
        raise SetupFailed(f"{line} did not answer within {seconds:.0f} s; run it by hand") from e


def answer(argv: Sequence[str], *, seconds: float) -> str:
    """Run a short command that must succeed and return what it printed, stripped.

    Raises:
        SetupFailed: It failed, is missing, or has not answered after `seconds`.
    """
    done = query(argv, seconds=seconds)
    if done.returncode:
        line = shlex.join(argv)
        raise SetupFailed(f"{line} failed: {telling_line(done.stderr or done.stdout)}")
    return done.stdout.strip()


def work(
    argv: Sequence[str], *, log: str, seconds: float, environ: Mapping[str, str] | None = None
) -> None:
    """Run a long command that must succeed; what it prints goes to a file in ``var/log``.

    Args:
        argv: The command.
        log: The step's name, and its log's without suffix.
        seconds: When to give up.
        environ: The command's whole environment, where it is not ours.

    Raises:
        SetupFailed: It failed, is missing, or was not done after `seconds`.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    with path.open("wb") as stream:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                env=environ,
                check=False,
            )
        except FileNotFoundError as e:
            raise SetupFailed(f"{argv[0]} is not installed; install it and try again") from e
        except subprocess.TimeoutExpired as e:
            raise SetupFailed(f"{log} took over {seconds:.0f} s; type: tail {path}") from e
    if done.returncode:
        said = telling_line(path.read_text(errors="replace"))
        raise SetupFailed(f"{log} failed: {said} (status {done.returncode}; type: tail {path})")


def telling_line(text: str) -> str:
    """Return the last line of a log that begins like an error's, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("e:", "error", "failed"))]
    return (errors or lines or ["it printed nothing"])[-1][:300]


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Let one process at a time into a step, by a lock on the file `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
