"""What is ours on a stderr that is told apart does not show, however it is cut."""

from __future__ import annotations

import pytest

from ctrkernel.session.split import Sieve

NONCE = "0123456789abcdef"


def mark(number: int, flags: str = "himBs", nonce: str = NONCE) -> str:
    """A prompt as bash writes it."""
    return f"\x1b]133;A;{nonce};{number};{number};0;{flags};/srv;{nonce}\x07"


#: bash's traces of a cell `echo hi` with `set -x` and with `set -v`.
TRACED = (
    '+ builtin eval \'{ __ctrk_k=$__ctrk_g; __ctrk_b 0 "${__ctrk_u-}"; } >/dev/null 2>&1\n'
    "echo hi\n"
    "{ __ctrk_s=$? __ctrk_u=$_; } >/dev/null 2>&1'\n"
    "++ echo hi\n"
)
VERBOSE = (
    " { __ctrk_c=$'echo hi'; __ctrk_g=11; } >/dev/null 2>&1; \\builtin eval $'{ __ctrk_b 0; }'\n"
    "{ __ctrk_k=$__ctrk_g; __ctrk_b 0; } >/dev/null 2>&1\n"
    "echo hi\n"
    "{ __ctrk_s=$? __ctrk_u=$_; } >/dev/null 2>&1\n"
)


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize(
    ("came", "shown"),
    [
        (f"one\n{mark(1)}two{mark(2)}", "one\ntwo"),
        (f"{mark(1, nonce='fedcba9876543210')}{mark(2)}", mark(1, nonce="fedcba9876543210")),
        (f"\x1b[31mred\x1b[0m\n\x1b]0;title\x07{mark(1)}", "\x1b[31mred\x1b[0m\n\x1b]0;title\x07"),
        (mark(1, "hixBs") + TRACED + mark(2), "++ echo hi\n"),
        (mark(1, "hivBs") + VERBOSE + mark(2), "echo hi\n"),
    ],
)
def test_marks_and_traces_of_ours_are_taken_out(came: str, shown: str, size: int) -> None:
    sieve = Sieve(NONCE)

    said = [sieve.feed(came[at : at + size]) for at in range(0, len(came), size)]

    assert "".join(text for text, _ in said) == shown
    assert max(number or 0 for _, number in said) == (2 if mark(2) in came else 1)


def test_what_only_begins_like_a_mark_is_not_held_for_ever() -> None:
    sieve = Sieve(NONCE)

    text = "\x1b]133;A;" + "x" * 20_000

    assert sieve.feed(text) == (text, None)
