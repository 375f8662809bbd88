"""The engine's CLI in the foreground: its stdin, stdout and stderr are this process's own."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from ctrkernel.engine.process import KILL_GRACE, TERMINATE_GRACE
from ctrkernel.errors import EngineNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_in_foreground(argv: Sequence[str], *, environ: Mapping[str, str] | None = None) -> int:
    """Run `argv` to its end and return its status; 128 + N for signal N, as a shell says.

    Whatever is raised here meanwhile, such as KeyboardInterrupt, ends it first.

    Args:
        argv: The command.
        environ: Variables added to this process's environment; secrets travel here.

    Raises:
        EngineNotFound: It cannot be run.
    """
    try:
        process = subprocess.Popen(list(argv), env={**os.environ, **(environ or {})})
    except OSError as error:
        raise EngineNotFound(f"{argv[0]} cannot be run: {error.strerror}; reinstall it") from error
    try:
        status = process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(timeout=TERMINATE_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=KILL_GRACE)
        raise
    return status if status >= 0 else 128 - status
