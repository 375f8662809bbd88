"""What the engine's client itself says on a program's output, told from what the program says."""

from __future__ import annotations

import time
from typing import Final

from ctrkernel.errors import one_line

#: Seconds for which what looks like the engine's own complaint waits to be told from output.
COMPLAINT_INTERVAL: Final = 1.0
#: Bytes of it; what is longer is output.
COMPLAINT_LIMIT: Final = 1 << 14
#: Statuses of the engine's client that may be its own and not the program's.
ENGINE_STATUS: Final = frozenset({1, 125, 126, 127, 255})
#: How the engines' own complaints begin; they come on the program's stdout or stderr.
_COMPLAINTS: Final = {
    "docker": (
        b"OCI runtime exec failed: ",
        b"Error response from daemon: ",
        b"Error: No such ",
        b"unable to find user ",
        b"unable to find group ",
        b"Cannot connect to the Docker daemon",
        b"error during connect: ",
    ),
    "podman": (b"Error: ",),
}
#: What stands before the reason in docker's complaint.
_PREFACE: Final = "OCI runtime exec failed: exec failed: unable to start container process: "


class Complaint:
    """Holds back the first output of an exec while it may be the engine's complaint.

    It is one only if nothing else is printed and the status is such, so that it is known at the
    client's end.

    Args:
        engine: The engine's name.
    """

    def __init__(self, engine: str) -> None:
        self._beginnings = _COMPLAINTS[engine]
        #: What is held, where it was printed and when; None once something else came.
        self._held: bytes | None = b""
        self._stream = ""
        self._since = 0.0

    def take(self, stream: str, data: bytes) -> list[tuple[str, bytes]]:
        """Take output; return what of it is the program's, with the stream that it came on."""
        if self._held is None:
            return [(stream, data)]
        if not self._held:
            self._stream, self._since = stream, time.monotonic()
        if not (self._held + data).startswith(self._beginnings):
            return [*self.release(), (stream, data)]
        self._held += data
        return self.release() if len(self._held) >= COMPLAINT_LIMIT else []

    @property
    def overdue(self) -> bool:
        """Whether what is held has waited long enough."""
        return bool(self._held) and time.monotonic() > self._since + COMPLAINT_INTERVAL

    def release(self) -> list[tuple[str, bytes]]:
        """Return what is held: it is the program's, as is all that comes."""
        held, self._held = self._held, None
        return [(self._stream, held)] if held else []

    def claim(self, status: int) -> str | None:
        """Return the reason that the client gave for ending with `status`, if it did."""
        if not self._held or status not in ENGINE_STATUS:
            return None
        said, self._held = one_line(self._held.decode(errors="replace")), None
        return said.removeprefix(_PREFACE).removeprefix("Error: ").removesuffix(": unknown")
