"""A tiny process on the host that tidies up when its owner is gone, however it went.

It holds one end of a pipe and waits for the other to close, which the kernel of the operating
system does for a process that was killed. It is a POSIX shell of about one megabyte.
"""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctrkernel.engine.engine import Engine

#: Seconds that a hang-up may take when somebody waits for it.
HANG_UP_TIMEOUT = 6.0

#: The words of a POSIX shell that becomes the reaper. It leaves a process that lives on its own,
#: so that nobody has to wait for it, and holds descriptor 4 open until the command has ended.
#: It reads "PID START" lines; at the end of its input it runs "$@" with the last ones in place of
#: PID_WORD and START_WORD, for ten minutes again and again while it cannot succeed yet; a program
#: that is not there will not come. Signals that a terminal or a server sends to a group pass it by.
_SCRIPT = r"""
exec 3<&0 4>&1 >/dev/null
{
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
  turn=0
  until "$@" </dev/null 2>&1; do
    case $? in 126|127) break;; esac
    turn=$((turn+1))
    [ $turn -lt 600 ] && [ "$(eval "$CTRKERNEL_UNABLE" 2>/dev/null)" = true ] || break
    sleep 1
  done
} <&3 3<&- &
"""

#: Stand for what is not known when the reaper starts.
PID_WORD, START_WORD = "@PID@", "@START@"


def unable_argv(engine: Engine, container: str) -> list[str]:
    """Return a command that prints ``true`` while a program may run in `container` later.

    That is so while it is paused, and while the engine is gone or just begins to know it again.
    """
    state = "--format={{or .State.Running .State.Paused}}"
    inspect = shlex.join(engine.command("inspect", state, container))
    answers = shlex.join(engine.command("ps", "--quiet"))
    # The second question is for an engine that came back after the first.
    wait = f"{answers} >/dev/null || {{ echo true; exit; }}"
    return ["sh", "-c", f"state=$({inspect}) || {{ {wait}; state=$({inspect}); }}; echo $state"]


class Reaper:
    """Runs a command when this process ends or says so, whichever comes first.

    Args:
        argv: The command; the words PID_WORD and START_WORD are replaced by what
            :meth:`tell` told last, or 0.
        unable: Prints ``true`` while the command cannot succeed yet; asked after it failed. See
            :func:`unable_argv`.
        environ: Their environment.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        unable: Sequence[str] = ("false",),
    ) -> None:
        heard, self._said = os.pipe()
        self._ended, held = os.pipe()
        try:
            subprocess.run(
                ["/bin/sh", "-c", _SCRIPT, "ctrkernel-reaper", *argv],
                stdin=heard,
                stdout=held,
                stderr=subprocess.DEVNULL,
                env={**environ, "CTRKERNEL_UNABLE": shlex.join(unable)},
                start_new_session=True,
                check=True,
            )
        except BaseException:
            os.close(self._said)
            os.close(self._ended)
            raise
        finally:
            os.close(heard)
            os.close(held)
        #: When, on the monotonic clock.
        self._released: float | None = None
        self._lock = threading.Lock()

    def __del__(self) -> None:
        """Let the command run if nobody said otherwise."""
        if hasattr(self, "_lock"):
            self.release()
            os.close(self._ended)

    @property
    def life(self) -> int:
        """A descriptor that keeps the command from running in any process that holds it open.

        A child that inherits it is waited for, even when this process is killed meanwhile.
        """
        return self._said

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
        with self._lock:
            if self._released is None:
                self._released = time.monotonic()
                os.close(self._said)

    def wait(self, timeout: float = HANG_UP_TIMEOUT) -> bool:
        """Wait for the end of the command; whether it came in time.

        Args:
            timeout: Seconds since it was released, so that many that were released together take
                no longer than one.
        """
        since = 0.0 if self._released is None else time.monotonic() - self._released
        return bool(select.select([self._ended], [], [], max(0.0, timeout - since))[0])

    def _say(self, line: str) -> None:
        with self._lock:
            if self._released is not None:
                return
            try:
                os.write(self._said, line.encode())
            except BrokenPipeError:
                # Somebody killed the reaper: nothing is left to tell.
                return
