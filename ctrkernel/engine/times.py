"""The moments that an engine tells, and how long ago they were."""

from __future__ import annotations

from datetime import UTC, datetime

#: Units of an age, each with its seconds, the largest first.
_UNITS = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("week", 7 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
    ("second", 1),
)


def moment(text: str) -> datetime | None:
    """Read a time as engines write it (RFC 3339, up to nanoseconds); None for "never".

    Docker and Podman write Go's zero time, in the year 1, for what has not happened.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    if read.year <= 1:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def age(text: str, *, now: datetime | None = None) -> str:
    """Return how long ago `text` was, in the largest unit that fits; empty for "never"."""
    then = moment(text)
    if then is None:
        return ""
    seconds = max(0, int(((now or datetime.now(UTC)) - then).total_seconds()))
    for unit, size in _UNITS:
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "0 seconds"
