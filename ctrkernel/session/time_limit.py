"""What a person gives as a number of seconds, and what a wait of Python's takes."""

from __future__ import annotations

import math
import threading

from ctrkernel.errors import UsageError


def time_limit(timeout: float | None) -> float | None:
    """Return seconds that every wait takes; None for no limit, as which `inf` counts too.

    Raises:
        UsageError: `timeout` is no number.
    """
    if timeout is None:
        return None
    try:
        number = not math.isnan(timeout)
    except TypeError:
        number = False
    if not number:
        raise UsageError(
            f"a timeout is a number of seconds, and None is no limit; {timeout!r} is neither"
        )
    return timeout if timeout <= threading.TIMEOUT_MAX else None
