"""Durations are said in the two places that matter."""

from __future__ import annotations

import pytest

from ctrkernel.commands.glance import moment, spoken_duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0004, "0 ms"),
        (0.0123, "12 ms"),
        (0.999, "999 ms"),
        (0.9996, "1.0 s"),
        (1.26, "1.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (125.4, "2 min 5 s"),
        (3599.7, "1 h 0 min"),
        (7384.0, "2 h 3 min"),
    ],
)
def test_a_duration_is_said_as_a_person_would(seconds: float, said: str) -> None:
    assert spoken_duration(seconds) == said


def test_a_moment_has_its_zone() -> None:
    assert moment(0.0)[:4] in ("1969", "1970")
    assert moment(0.0).split()[2]
