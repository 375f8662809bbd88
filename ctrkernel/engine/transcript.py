"""Files on the host that keep what a container and its shells print, for when they are gone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ctrkernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.engine import Engine

#: Seconds for the follower to end after its container has; what it holds is written by then.
END_TIMEOUT = 5.0
#: Follows "$@" until it ends or until nobody holds the other end of our input.
_FOLLOW = r"""
trap '' HUP INT QUIT
"$@" </dev/null & pid=$!
{ read -r _ || :; kill "$pid" 2>/dev/null; } <&3 3<&- &
exec 3<&-
wait "$pid"
kill "$!" 2>/dev/null
"""


class TranscriptFolder:
    """Keeps the transcripts of one container and its sessions; they are only added to.

    Args:
        folder: Where; it is made if need be.

    Raises:
        UsageError: Nothing can be written there.
    """

    def __init__(self, folder: str) -> None:
        self.path = Path(folder).expanduser().absolute()
        self._followers: list[_Follower] = []
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"--log-dir {folder}: {error.strerror}; name a folder that can be written"
            ) from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise UsageError(
                f"--log-dir {folder}: it cannot be written to; name a folder that can be written"
            )

    def session(self, container: str, name: str) -> Callable[[str], None]:
        """Return what writes a session's output into ``CONTAINER.NAME.log``, piece by piece."""
        return _Appender(self.path / f"{container}.{name}.log")

    def follow(self, engine: Engine, container: str, *, since: str = "") -> None:
        """Write what a container prints into ``CONTAINER.log``, with times, until it ends.

        Args:
            engine: The engine's command line.
            container: Its name.
            since: Only what came since then; empty for all.
        """
        for ended in [each for each in self._followers if each.ended]:
            self._followers.remove(ended)
            ended.close(wait=True)
        words = ["logs", "--follow", "--timestamps", *([f"--since={since}"] if since else [])]
        self._followers.append(
            _Follower(engine.command(*words, container), self.path / f"{container}.log")
        )

    def close(self, *, wait: bool) -> None:
        """Follow no more.

        Args:
            wait: The container was removed: wait until all that it printed is written.
        """
        followers, self._followers = self._followers, []
        for follower in followers:
            follower.close(wait=wait)


class _Appender:
    """Appends text to a file; one that cannot be written any more is given up."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._failed = False

    def __call__(self, text: str) -> None:
        with self._lock:
            if self._failed:
                return
            try:
                with self._path.open("a", encoding="utf-8", newline="") as file:
                    file.write(text)
            except OSError:
                # A full disk must not end the shell.
                self._failed = True


class _Follower:
    """The engine's CLI that writes a log into a file; it ends with this process at the latest."""

    def __init__(self, argv: list[str], path: Path) -> None:
        heard, self._said = os.pipe()
        try:
            with path.open("ab") as file:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", f"exec 3<&0\n{_FOLLOW}", "ctrkernel-transcript", *argv],
                    stdin=heard,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._said)
            raise
        finally:
            os.close(heard)

    @property
    def ended(self) -> bool:
        """Whether the container has ended, and all that it printed is written."""
        return self._process.poll() is not None

    def close(self, *, wait: bool) -> None:
        """End it; with `wait`, give it a moment to come to its end by itself."""
        if wait:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_TIMEOUT)
        os.close(self._said)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_TIMEOUT)
