"""Bytes between a file and a pipe, without a copy where the system can: splice(2)."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import IO

#: Bytes read from or written to a pipe at once: the size of a Linux pipe.
PIPE_SIZE = 64 * 1024
#: Bytes of a pipe that moves much: what Linux lets anybody have (pipe-max-size, pipe(7)).
WIDE_PIPE_SIZE = 1024 * 1024


def widen(*pipes: IO[bytes]) -> int:
    """Enlarge `pipes` and return the size that they have now."""
    set_size = getattr(fcntl, "F_SETPIPE_SZ", None)
    if set_size is None:
        return PIPE_SIZE
    try:
        return min(fcntl.fcntl(pipe.fileno(), set_size, WIDE_PIPE_SIZE) for pipe in pipes)
    except OSError:
        # The user has as many wide pipes as the system allows.
        return PIPE_SIZE


def file_to_pipe(descriptor: int, pipe: int, size: int) -> int:
    """Move up to `size` bytes of a file, whose position moves on; return how many, 0 at its end.

    Raises:
        BlockingIOError: The pipe is full.
        BrokenPipeError: Nobody reads the pipe any more.
        OSError: The file cannot be read.
    """
    if hasattr(os, "splice"):
        try:
            return os.splice(descriptor, pipe, size, flags=os.SPLICE_F_NONBLOCK)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOSYS}:
                raise
    # Some file systems cannot, and macOS has none.
    data = os.pread(descriptor, size, at := os.lseek(descriptor, 0, os.SEEK_CUR))
    moved = os.write(pipe, data) if data else 0
    os.lseek(descriptor, at + moved, os.SEEK_SET)
    return moved


def pipe_to_file(pipe: int, descriptor: int, size: int, *, at: int) -> int:
    """Move up to `size` bytes to the place `at` of a file; return how many, 0 at the pipe's end.

    Raises:
        BlockingIOError: The pipe is empty.
        OSError: The file cannot be written.
    """
    if hasattr(os, "splice"):
        try:
            return os.splice(pipe, descriptor, size, offset_dst=at, flags=os.SPLICE_F_NONBLOCK)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOSYS}:
                raise
    data = memoryview(os.read(pipe, size))
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], at + written)
    return written
