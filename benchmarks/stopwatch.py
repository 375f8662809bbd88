"""The time that a piece of work takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(work: Callable[[], object], *, before: Callable[[], object] | None = None) -> float:
    """Return the seconds that `work` takes; what is done `before` is not counted."""
    if before is not None:
        before()
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
