"""The few words that say how a cell ended: ``exit status 2 · 1.3 s · /srv``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

#: A grey that can be read on white, on black and on what is behind an error. JupyterLab and
#: nbconvert show no "faint", and the grey of the sixteen colours is all but black in them.
_GREY: Final = "\x1b[38;5;243m"
_PLAIN: Final = "\x1b[0m"
_MINUTE: Final = 60
_HOUR: Final = 3600


def dim(text: str) -> str:
    """Return `text` in grey."""
    return f"{_GREY}{text}{_PLAIN}"


def spoken_duration(seconds: float) -> str:
    """Return a duration to two places that matter: ``4 ms``, ``1.3 s``, ``2 min 5 s``."""
    if round(seconds, 3) < 1:
        return f"{seconds * 1000:.0f} ms"
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def moment(when: float) -> str:
    """Return a time in seconds since 1970 as this machine's clock shows it, with its zone."""
    return datetime.fromtimestamp(when, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
