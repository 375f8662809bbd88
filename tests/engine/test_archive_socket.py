"""The engine's archive API on its socket, against a small server that answers as it is told."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ctrkernel.engine.archive_socket import ArchiveSocket, socket_of
from ctrkernel.engine.engine import Engine
from ctrkernel.engine.process import Cancelled, Stalled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

TIMEOUT = 20.0
AGREED = b"HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n"
REFUSED = b'HTTP/1.1 404 Not Found\r\nContent-Length: 31\r\n\r\n{"message":"no such folder /x"}'


def hear(connection: socket.socket, until: bytes) -> bytes:
    heard = b""
    while not heard.endswith(until):
        data = connection.recv(65536)
        assert data, heard
        heard += data
    return heard


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., AbstractContextManager[str]]:
    """Return a function that has a server do one thing with the one connection it gets."""

    @contextmanager
    def serving(act: Callable[[socket.socket], None]) -> Iterator[str]:
        path = str(tmp_path / "socket")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            listening.listen()

            def answer() -> None:
                with listening.accept()[0] as connection:
                    act(connection)

            thread = threading.Thread(target=answer)
            thread.start()
            try:
                yield path
            finally:
                thread.join(TIMEOUT)

    return serving


def test_an_archive_goes_in_whole_chunks(
    serve: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    heard: list[bytes] = []
    (tmp_path / "file").write_bytes(b"from a file")

    def act(connection: socket.socket) -> None:
        heard.append(hear(connection, b"\r\n0\r\n\r\n"))
        connection.sendall(AGREED)

    with serve(act) as path, ArchiveSocket(path, "ab12", "/a b/ü&x", put=True) as archive:
        assert archive.write(b"begin", timeout=TIMEOUT)
        descriptor = os.open(tmp_path / "file", os.O_RDONLY)
        assert archive.write_file(descriptor, 11, timeout=TIMEOUT) == 11
        assert archive.write_file(descriptor, 11, timeout=TIMEOUT) == 0
        os.close(descriptor)
        assert archive.wait(timeout=TIMEOUT) == 0

    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(
        b"PUT /containers/ab12/archive?path=%2Fa%20b%2F%C3%BC%26x&noOverwriteDirNonDir=true HTTP/"
    )
    assert b"\r\nTransfer-Encoding: chunked\r\n" in head + b"\r\n"
    assert body == b"5\r\nbegin\r\nb\r\nfrom a file\r\n0\r\n\r\n"


def test_what_is_given_up_is_never_said_to_be_complete(
    serve: Callable[..., AbstractContextManager[str]],
) -> None:
    heard = bytearray()

    def act(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            heard.extend(data)

    with serve(act) as path, ArchiveSocket(path, "ab12", "/x", put=True) as archive:
        assert archive.write(b"begin", timeout=TIMEOUT)
        archive.stop()

    assert heard.endswith(b"5\r\nbegin\r\n")


def test_an_engine_that_refuses_in_the_middle_is_quoted(
    serve: Callable[..., AbstractContextManager[str]],
) -> None:
    def act(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(REFUSED)

    with serve(act) as path, ArchiveSocket(path, "ab12", "/x", put=True) as archive:
        while archive.write(bytes(100_000), timeout=TIMEOUT):
            pass

        assert archive.wait(timeout=TIMEOUT) == 1
        assert archive.complaint == "no such folder /x"


def test_an_archive_comes_as_it_is_sent(
    serve: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    content = os.urandom(3_000_000)

    def act(connection: socket.socket) -> None:
        assert hear(connection, b"\r\n\r\n").startswith(b"GET /containers/ab12/archive?path=%2Fx ")
        connection.sendall(AGREED + b"first")
        connection.sendall(content)

    with serve(act) as path, ArchiveSocket(path, "ab12", "/x", put=False) as archive:
        came = archive.read(timeout=TIMEOUT)
        descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
        moved = archive.read_file(descriptor, 2_000_000, at=0, timeout=TIMEOUT)
        came += os.pread(descriptor, moved, 0)
        os.close(descriptor)
        while data := archive.read(timeout=TIMEOUT):
            came += data

        assert archive.ended
        assert archive.wait(timeout=TIMEOUT) == 0
    assert moved == 2_000_000
    assert came == b"first" + content


def test_a_refused_archive_is_an_end_with_a_reason(
    serve: Callable[..., AbstractContextManager[str]],
) -> None:
    def act(connection: socket.socket) -> None:
        hear(connection, b"\r\n\r\n")
        connection.sendall(REFUSED)

    with serve(act) as path, ArchiveSocket(path, "ab12", "/x", put=False) as archive:
        assert archive.read(timeout=TIMEOUT) == b""
        assert archive.ended
        assert archive.wait(timeout=TIMEOUT) == 1
        assert archive.complaint == "no such folder /x"


@pytest.mark.parametrize("put", [True, False])
def test_an_engine_that_stands_still_is_given_up(
    serve: Callable[..., AbstractContextManager[str]], *, put: bool
) -> None:
    over = threading.Event()

    def act(_: socket.socket) -> None:
        over.wait(TIMEOUT)

    with serve(act) as path:
        with ArchiveSocket(path, "ab12", "/x", put=put) as archive, pytest.raises(Stalled):
            move(archive, put=put, timeout=0.2)
        over.set()
        asked = over.is_set
        again = ArchiveSocket(path, "ab12", "/x", put=put, cancelled=asked)
        with again, pytest.raises(Cancelled):
            move(again, put=put, timeout=TIMEOUT)


def move(archive: ArchiveSocket, *, put: bool, timeout: float) -> None:
    """Move more than a socket holds."""
    if put:
        archive.write(bytes(50_000_000), timeout=timeout)
    archive.read(timeout=timeout)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("unix:///run/x/docker.sock", "/run/x/docker.sock"),
        ("tcp://127.0.0.1:2375", None),
        ("ssh://me@there", None),
        ("npipe:////./pipe/docker_engine", None),
        ("", None),
    ],
)
def test_only_a_socket_of_this_machine_is_used(tmp_path: Path, said: str, path: str | None) -> None:
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)

    assert socket_of(Engine(program=str(program), name="docker")) == path
    assert socket_of(Engine(program=str(program), name="podman")) is None
