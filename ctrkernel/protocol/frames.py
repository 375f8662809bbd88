"""The few messages between a notebook's session and a person's terminal that joins it.

A frame is one byte for its kind, four for the payload's length (big endian), and the payload.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

#: Bytes of the kind and the length.
HEAD: Final = 5
#: Bytes of a payload; what is larger is no frame of ours.
PAYLOAD_LIMIT: Final = 16 << 20


class FrameKind(Enum):
    """What a frame is about; the terminal's are in capitals."""

    #: Code to run.
    RUN = b"R"
    #: Bytes that were typed for the command that runs.
    KEYS = b"K"
    #: Rows and columns of the terminal.
    SIZE = b"S"
    #: The person leaves; a command that runs goes on.
    BYE = b"B"

    #: Where the session stands; the first frame, and again after each command.
    STATE = b"s"
    #: Bytes that the command wrote.
    OUTPUT = b"o"
    #: Why the code was not run.
    REFUSED = b"r"


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: FrameKind
    payload: bytes = b""

    def encode(self) -> bytes:
        """Return its bytes."""
        return self.kind.value + len(self.payload).to_bytes(4, "big") + self.payload

    @property
    def fields(self) -> Any:
        """The payload as JSON.

        Raises:
            BadFrame: It is none.
        """
        try:
            return json.loads(self.payload)
        except ValueError as error:
            raise BadFrame(str(error)) from error


class BadFrame(ValueError):
    """What came is no frame of ours."""


def json_frame(kind: FrameKind, fields: object) -> Frame:
    """Return a frame whose payload is JSON."""
    return Frame(kind, json.dumps(fields).encode())


class FrameParser:
    """Takes bytes as they come and gives whole frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are whole now.

        Raises:
            BadFrame: The bytes cannot be a frame's.
        """
        self._held += data
        frames = []
        while len(self._held) >= HEAD:
            size = int.from_bytes(self._held[1:HEAD], "big")
            if size > PAYLOAD_LIMIT:
                raise BadFrame(f"{size} bytes")
            if len(self._held) < HEAD + size:
                break
            try:
                kind = FrameKind(bytes(self._held[:1]))
            except ValueError as error:
                raise BadFrame(str(error)) from error
            frames.append(Frame(kind, bytes(self._held[HEAD : HEAD + size])))
            del self._held[: HEAD + size]
        return frames
