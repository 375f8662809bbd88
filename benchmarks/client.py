"""A client fast enough not to be what is measured, on jupyter_client's own sockets and session.

While the clock runs it takes whole messages off the iopub and shell sockets and reads their
headers. Signatures are checked and texts decoded when the clock has stopped, unless a row asks
for the decoding to be inside.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import zmq

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_client.session import Session

#: Seconds one cell may take: the longest, 200 MB, takes a tenth where nothing is wrong.
CELL_TIMEOUT = 120.0

#: Seconds between looks at whether the kernel still lives.
ALIVE_INTERVAL = 1.0

#: Seconds an idle status may come after its reply, before it counts as missed.
IOPUB_GRACE = 0.2

_DELIMITER = b"<IDS|MSG>"


class BenchmarkError(Exception):
    """A kernel did not do what the measurement needs."""


class KernelDiedError(BenchmarkError):
    """A kernel's process ended while it was waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One cell, run and answered.

    Args:
        replied: Seconds from sending the request to the execute_reply.
        seconds: Seconds until both the reply and the idle status were there.
        first_output: Seconds to the first stream message, or None.
        messages: How many stream messages came.
        size: How many bytes of stdout they held, as UTF-8.
        digest: SHA-256 of those bytes.
        text: The first 64 KiB of them.
    """

    replied: float
    seconds: float
    first_output: float | None
    messages: int
    size: int
    digest: str
    text: str


class Probe:
    """Runs cells and measures them.

    Args:
        client: A client whose channels are started.
        name: The kernel's name, for messages.
        is_alive: Says whether the kernel's process lives.
    """

    def __init__(
        self, client: BlockingKernelClient, name: str, *, is_alive: Callable[[], bool]
    ) -> None:
        self._session: Session = client.session
        self._shell = client.shell_channel.socket
        self._iopub = client.iopub_channel.socket
        self._name = name
        self._is_alive = is_alive
        self._poller = zmq.Poller()
        self._poller.register(self._shell, zmq.POLLIN)
        self._poller.register(self._iopub, zmq.POLLIN)

    def first_reply(self, code: str, *, timeout: float) -> None:
        """Run the kernel's first cell; iopub is not connected yet, so only the reply counts."""
        sent = self._execute(code)
        deadline = time.perf_counter() + timeout
        while True:
            for socket in self._ready(deadline):
                frames = _frames(socket.recv_multipart())
                if socket is self._shell and _answers(frames, sent):
                    self._check_reply(frames, code)
                    return

    def await_iopub(self, *, timeout: float) -> None:
        """Wait until the iopub subscription delivers.

        A subscriber that came late misses what was sent before, so requests are repeated until
        one of them shows its idle status.
        """
        deadline = time.perf_counter() + timeout
        while True:
            sent = self._send("kernel_info_request", {})
            replied = idle = False
            while not replied:
                for socket in self._ready(deadline):
                    frames = _frames(socket.recv_multipart())
                    replied |= socket is self._shell and _answers(frames, sent)
                    idle |= socket is self._iopub and _is_idle(frames, sent)
            grace = min(deadline, time.perf_counter() + IOPUB_GRACE)
            while not idle and self._poller.poll(_milliseconds(grace)):
                idle = _is_idle(_frames(self._iopub.recv_multipart()), sent)
            if idle:
                return

    def run(self, code: str, *, decode: bool = False, check: bool = True) -> Run:
        """Run a cell and wait for its reply and its idle status.

        Args:
            code: The cell.
            decode: Whether signatures and JSON are handled while the clock runs, as a notebook
                server's client does.
            check: Whether a reply that is not ``ok`` is an error.

        Raises:
            BenchmarkError: The kernel died, or did not answer within CELL_TIMEOUT.
        """
        streams: list[list[bytes]] = []
        texts: list[str] = []
        first_output: float | None = None
        replied: float | None = None
        reply: list[bytes] = []
        idle = False
        begin = time.perf_counter()
        sent = self._execute(code)
        deadline = begin + CELL_TIMEOUT
        while replied is None or not idle:
            for socket in self._ready(deadline):
                frames = _frames(socket.recv_multipart())
                if not _answers(frames, sent):
                    continue
                if socket is self._shell:
                    replied = time.perf_counter() - begin
                    reply = frames
                    continue
                kind = json.loads(frames[1])["msg_type"]
                if kind == "stream":
                    first_output = first_output or time.perf_counter() - begin
                    if decode:
                        texts.append(self._text(frames))
                        streams.append([])
                    else:
                        streams.append(frames)
                elif kind == "status":
                    idle = _is_idle(frames, sent)
        seconds = time.perf_counter() - begin
        if check:
            self._check_reply(reply, code)
        hashed = hashlib.sha256()
        size = 0
        head = ""
        for piece in texts or (self._text(frames) for frames in streams):
            data = piece.encode()
            size += len(data)
            hashed.update(data)
            head += piece[: 65536 - len(head)]
        return Run(
            replied=replied,
            seconds=seconds,
            first_output=first_output,
            messages=len(streams),
            size=size,
            digest=hashed.hexdigest(),
            text=head,
        )

    def complete(self, code: str) -> tuple[float, list[str]]:
        """Complete at the end of `code`; return the seconds to reply and idle, and the matches."""
        begin = time.perf_counter()
        sent = self._send("complete_request", {"code": code, "cursor_pos": len(code)})
        deadline = begin + CELL_TIMEOUT
        reply: list[bytes] = []
        idle = False
        while not reply or not idle:
            for socket in self._ready(deadline):
                frames = _frames(socket.recv_multipart())
                if _answers(frames, sent) and socket is self._shell:
                    reply = frames
                idle |= socket is self._iopub and _is_idle(frames, sent)
        seconds = time.perf_counter() - begin
        return seconds, list(json.loads(reply[4])["matches"])

    def _execute(self, code: str) -> str:
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        return self._send("execute_request", content)

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        """Send a request on the shell channel and return its id."""
        message = self._session.send(self._shell, kind, content)
        if message is None:
            raise BenchmarkError(f"kernel {self._name!r} cannot be written to")
        return str(message["msg_id"])

    def _ready(self, deadline: float) -> list[zmq.Socket[bytes]]:
        """Return the sockets with a message, waiting for one until `deadline`."""
        while True:
            now = time.perf_counter()
            if now >= deadline:
                raise BenchmarkError(f"kernel {self._name!r} did not answer in time")
            ready = self._poller.poll(_milliseconds(min(deadline, now + ALIVE_INTERVAL)))
            if ready:
                return [socket for socket, _event in ready]
            if not self._is_alive():
                raise KernelDiedError(f"kernel {self._name!r} has died; its last words:")

    def _message(self, frames: list[bytes]) -> dict[str, Any]:
        """Check the signature of a message and decode it."""
        return self._session.deserialize(frames)

    def _text(self, frames: list[bytes]) -> str:
        content = self._message(frames)["content"]
        return str(content["text"]) if content["name"] == "stdout" else ""

    def _check_reply(self, frames: list[bytes], code: str) -> None:
        content = self._message(frames)["content"]
        if content["status"] != "ok":
            what = f"{content.get('ename')}: {content.get('evalue')}"
            raise BenchmarkError(f"kernel {self._name!r} failed at {code[:60]!r}: {what}")


def _milliseconds(deadline: float) -> int:
    """Return what is left until `deadline`, as ZeroMQ wants it."""
    return max(0, round((deadline - time.perf_counter()) * 1000))


def _frames(parts: list[bytes]) -> list[bytes]:
    """Drop the routing prefix: what is left is signature, header, parent, metadata, content."""
    return parts[parts.index(_DELIMITER) + 1 :]


def _answers(frames: list[bytes], sent: str) -> bool:
    """Whether a message's parent is the request `sent`."""
    return bool(json.loads(frames[2]).get("msg_id") == sent)


def _is_idle(frames: list[bytes], sent: str) -> bool:
    return (
        json.loads(frames[1])["msg_type"] == "status"
        and _answers(frames, sent)
        and json.loads(frames[4])["execution_state"] == "idle"
    )
