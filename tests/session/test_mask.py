"""No value that was added to a mask comes out of it, however the text is cut."""

from __future__ import annotations

import copy
import pickle
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctrkernel.session.mask import DOTS, Mask, Masking, Secret

_SETTINGS = settings(deadline=None, database=None)
_VALUES = st.lists(st.text("abc", min_size=4, max_size=9), min_size=1, max_size=4)
_TEXTS = st.text("abc\n", max_size=60)


def mask_of(*values: str) -> Mask:
    mask = Mask()
    for value in values:
        mask.add(Secret(value))
    return mask


def test_a_secret_shows_its_value_in_no_repr_and_no_pickle() -> None:
    secret = Secret("hunter22")

    assert "hunter" not in f"{secret} {secret!r} {[secret]} {mask_of('hunter22')!r}"
    for write in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="secret"):
            write(secret)


def test_a_mask_without_values_lets_text_pass() -> None:
    text = "anything at all"

    assert not Mask()
    assert Mask().hide(text) is text
    assert Masking(Mask()).feed(text) is text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hunter22", DOTS),
        ("a hunter22 b", f"a {DOTS} b"),
        ("hunter22hunter22", DOTS + DOTS),
        ("hunter2", "hunter2"),
        ("hunterhunter22", f"hunter{DOTS}"),
        ("", ""),
    ],
)
def test_every_occurrence_is_hidden_and_nothing_else(text: str, shown: str) -> None:
    assert mask_of("hunter22").hide(text) == shown


def test_values_that_overlap_are_hidden_together() -> None:
    mask = mask_of("abcdef", "defghi")

    assert mask.hide("-abcdefghi-") == f"-{DOTS}-"


def test_the_longer_of_two_values_that_begin_alike_is_hidden_whole() -> None:
    mask = mask_of("abcd", "abcdefgh")

    assert mask.hide("abcdefgh abcdef") == f"{DOTS} {DOTS}ef"


def test_each_line_of_a_long_enough_is_hidden_by_itself() -> None:
    mask = mask_of("first line\nab\nthird line")

    assert mask.hide("x first line\nab\nthird") == f"x {DOTS}\nab\nthird"
    assert mask.hide("third line") == DOTS


@pytest.mark.parametrize(
    "written",
    [
        shlex.quote('a\'b "c" $d\\'),
        r"""'a'\''b "c" $d\'""",
        r'''"a'b \"c\" \$d\\"''',
        r"a\'b\ \"c\"\ \$d\\",
        r"""$'a\'b "c" $d\\'""",
    ],
)
def test_a_value_is_hidden_as_shells_quote_it_too(written: str) -> None:
    shown = mask_of('a\'b "c" $d\\').hide(f"+ echo {written}")

    assert DOTS in shown
    assert "b" not in shown
    assert "d" not in shown


@pytest.mark.parametrize("value", ["secret-value", "ünï-cödé-••", "  blanks  ", "aaaaaaaa"])
def test_a_value_that_is_cut_anywhere_is_hidden(value: str) -> None:
    mask = mask_of(value)
    whole = f"before {value} between {value}{value} after"

    for cut in range(len(whole) + 1):
        masking = Masking(mask)
        shown = masking.feed(whole[:cut]) + masking.feed(whole[cut:]) + masking.feed("", final=True)
        assert shown == mask.hide(whole)


@_SETTINGS
@given(_VALUES, st.lists(_TEXTS, max_size=12))
def test_however_text_comes_it_is_shown_as_if_it_came_whole(
    values: list[str], pieces: list[str]
) -> None:
    mask = mask_of(*values)
    masking = Masking(mask)

    shown = "".join([masking.feed(piece) for piece in pieces]) + masking.feed("", final=True)

    assert shown == mask.hide("".join(pieces))
    assert not any(value in shown for value in values)


@_SETTINGS
@given(_VALUES, st.lists(_TEXTS, max_size=12))
def test_text_that_was_let_go_never_makes_a_whole_value(
    values: list[str], pieces: list[str]
) -> None:
    masking = Masking(mask_of(*values))

    shown = "".join(masking.feed(piece) + masking.release() for piece in pieces)
    shown += masking.feed("", final=True)

    assert not any(value in shown for value in values)


def test_no_more_is_held_back_than_may_begin_a_value() -> None:
    masking = Masking(mask_of("hunter22"))

    assert masking.feed("Password for hun") == "Password for "
    assert masking.held
    assert masking.feed("ting: ") == "hunting: "
    assert not masking.held


def test_what_is_held_back_can_be_let_go_and_the_rest_of_a_value_stays_hidden() -> None:
    masking = Masking(mask_of("hunter22"))

    assert masking.feed("say hu") == "say "
    assert masking.release() == "hu"
    assert not masking.held
    assert masking.release() == ""
    assert masking.feed("nter") == ""
    assert not masking.held
    assert masking.feed("22!") == f"{DOTS}!"


def test_what_was_let_go_and_goes_on_otherwise_is_shown_once() -> None:
    masking = Masking(mask_of("hunter22"))

    shown = masking.feed("hu") + masking.release() + masking.feed("nt") + masking.feed("ing hu")

    assert shown + masking.release() == "hunting hu"


def test_a_value_can_be_added_while_text_flows() -> None:
    mask = Mask()
    masking = Masking(mask)
    first = masking.feed("hunter22 ")

    mask.add(Secret("hunter22"))

    assert first + masking.feed("hunter22 ") == f"hunter22 {DOTS} "
