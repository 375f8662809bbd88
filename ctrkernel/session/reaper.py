"""A tiny process on the host that ends a shell when its owner is gone, however it went.

It holds one end of a pipe and waits for the other to close, which the kernel of the operating
system does for a process that was killed. It is a POSIX shell of about one megabyte.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Seconds that a hang-up may take when somebody waits for it.
HANG_UP_TIMEOUT = 6.0

#: Reads "PID START" lines; at the end of its input runs "$@" with the last ones in place of the
#: words PID and START. Signals that a terminal or a notebook server sends to a group pass it by.
_SCRIPT = r"""
trap '' HUP INT QUIT TERM TSTP
pid=0 start=0
while read -r first second; do
  if [ "$first" = dismiss ]; then exit 0; fi
  pid=$first start=$second
done
for word; do
  shift
  case $word in @PID@) word=$pid;; @START@) word=$start;; esac
  set -- "$@" "$word"
done
exec "$@" </dev/null >/dev/null 2>&1
"""

#: Stand for what is not known when the reaper starts.
PID_WORD, START_WORD = "@PID@", "@START@"


class Reaper:
    """Runs a command when this process ends or says so, whichever comes first.

    Args:
        argv: The command; the words PID_WORD and START_WORD are replaced by what
            :meth:`tell` told last, or 0.
        environ: Its environment.
    """

    def __init__(self, argv: Sequence[str], *, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "ctrkernel-reaper", *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
            bufsize=0,
        )

    def tell(self, pid: int, started: int) -> None:
        """Tell the shell's process id in the container and when it started."""
        self._say(f"{pid} {started}\n")

    def dismiss(self) -> None:
        """End the reaper without running its command."""
        self._say("dismiss\n")
        self.release()
        self.wait()

    def release(self) -> None:
        """Let the command run now, in the background."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()

    def wait(self, timeout: float = HANG_UP_TIMEOUT) -> bool:
        """Wait for the end of the command; whether it came in time."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _say(self, line: str) -> None:
        if self._process.stdin is None or self._process.stdin.closed:
            return
        try:
            os.write(self._process.stdin.fileno(), line.encode())
        except BrokenPipeError:
            # Somebody killed the reaper: nothing is left to tell.
            self.release()
