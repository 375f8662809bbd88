"""Text comes out as it went in, marks come out as marks, however the bytes arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctrkernel.protocol.dialects import Bash, Posix, Zsh
from ctrkernel.protocol.marks import BEL, ESC, FIELDS, HOME_MARK, INTRODUCER, Kind, Mark
from ctrkernel.protocol.stream import MARK_LIMIT, NEED_DATA, Event, NeedData, StreamParser, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NONCE = b"00112233aabbccdd"
#: A line of the kind that a verbose shell repeats.
LINE = b"{ ours; } >/dev/null 2>&1"
#: Another one, which begins as the first one does.
OTHER = b"{ other; }"
TAIL = b"tail"
REAL_LINES = (
    *Bash(NONCE.decode()).repeated,
    *Posix(NONCE.decode()).repeated,
    *Zsh(NONCE.decode()).repeated,
)

END_FIELDS = (b"7", b"7", b"0", b"1", b"0 1", b"himBHs", b"1", b"1", b"/srv" + HOME_MARK + b"/root")


def raw(kind: Kind, *fields: bytes, nonce: bytes = NONCE, newline: bytes = b"") -> bytes:
    body = b";".join(fields)
    return INTRODUCER + kind.value + b";" + nonce + b";" + body + b";" + nonce + BEL + newline


def mark(kind: Kind, *fields: bytes, newline: bytes = b"") -> Mark:
    whole = raw(kind, *fields, newline=newline)
    return Mark(kind, fields, whole, onlcr=newline == b"\r\n")


def merged(events: Iterable[Event]) -> list[Event]:
    """Join neighbouring texts: how text is cut up is nobody's promise."""
    out: list[Event] = []
    for event in events:
        if isinstance(event, Text) and out and isinstance(out[-1], Text):
            out[-1] = Text(out[-1].data + event.data)
        elif event != Text(b""):
            out.append(event)
    return out


def drain(parser: StreamParser) -> list[Event]:
    events: list[Event] = []
    while not isinstance(event := parser.next_event(), NeedData):
        events.append(event)
    return events


def parse(chunks: Iterable[bytes], *, erase: tuple[bytes, ...] = ()) -> list[Event]:
    """Feed `chunks`, draining after each, then end the stream."""
    parser = StreamParser(NONCE, erase=erase)
    events: list[Event] = []
    for chunk in chunks:
        parser.receive_data(chunk)
        events += drain(parser)
    return merged([*events, Text(parser.close())])


def single(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


def check_every_way(
    data: bytes, expected: Sequence[Event], way: str, *, erase: tuple[bytes, ...] = ()
) -> None:
    """Parse `data` whole, byte by byte, or followed by more, and compare."""
    chunks = {"whole": [data], "bytes": single(data), "tail": [data + TAIL]}[way]
    tail = [Text(TAIL)] if way == "tail" else []

    assert parse(chunks, erase=erase) == merged([*expected, *tail])


every_way = pytest.mark.parametrize("way", ["whole", "bytes", "tail"])

WHOLE_MARKS = {
    Kind.PROMPT: (b"7", b"7", b"0", b"himBHs", b"/srv"),
    Kind.PRECMD: (b"7", b"6", b"127", b"", b"/"),
    Kind.BEGIN: (b"7",),
    Kind.GATE: (b"7",),
    Kind.HELLO: (b"12", b"5.2.15(1)-release", b"", b"0", b"himBHs", b"12 (a) b) S 1 12 12 0"),
}


def test_every_kind_is_covered() -> None:
    assert {*WHOLE_MARKS, Kind.END} == set(Kind) == set(FIELDS)


@every_way
@pytest.mark.parametrize("kind", WHOLE_MARKS)
def test_a_mark_between_texts_is_a_mark(kind: Kind, way: str) -> None:
    expected = mark(kind, *WHOLE_MARKS[kind])

    check_every_way(b"a\n" + expected.raw + b"b\n", [Text(b"a\n"), expected, Text(b"b\n")], way)


@every_way
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_the_newline_of_an_end_mark_is_the_marks(newline: bytes, way: str) -> None:
    end = mark(Kind.END, *END_FIELDS, newline=newline)

    check_every_way(b"out" + end.raw + b"late", [Text(b"out"), end, Text(b"late")], way)
    assert end.onlcr is (newline == b"\r\n")


@every_way
@pytest.mark.parametrize("following", [b"x", b"\rx", b"\r\rx", b"\x1b[0m"])
def test_what_follows_an_end_mark_without_a_newline_is_text(following: bytes, way: str) -> None:
    end = mark(Kind.END, *END_FIELDS)

    check_every_way(end.raw + following, [end, Text(following)], way)


@every_way
def test_a_second_newline_after_an_end_mark_is_text(way: str) -> None:
    end = mark(Kind.END, *END_FIELDS, newline=b"\n")

    check_every_way(end.raw + b"\n", [end, Text(b"\n")], way)


@every_way
def test_marks_follow_one_another_without_text(way: str) -> None:
    marks = [
        mark(Kind.BEGIN, b"1"),
        mark(Kind.GATE, b"1"),
        mark(Kind.END, *END_FIELDS, newline=b"\n"),
        mark(Kind.PROMPT, *WHOLE_MARKS[Kind.PROMPT]),
    ]

    check_every_way(b"".join(each.raw for each in marks), marks, way)


@every_way
@pytest.mark.parametrize(
    "cwd",
    [
        b"",
        b"/a;b;;c",
        b"/bell\x07bell",
        b"/line\nline\r\n",
        b"/esc\x1b[31m\x1b]0;title\x07",
        "/größe/日本\u2028".encode(),
        b"/\xff\xfe",
        b"/;" + NONCE[:-1] + BEL,
        INTRODUCER + b"C;" + NONCE + b";9",
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", [Kind.PROMPT, Kind.END])
def test_a_directory_may_hold_any_byte(kind: Kind, cwd: bytes, way: str) -> None:
    fields = (*[b"7"] * (FIELDS[kind] - 1), cwd)
    expected = mark(kind, *fields, newline=b"\n" if kind is Kind.END else b"")

    check_every_way(b"x" + expected.raw, [Text(b"x"), expected], way)


FORGED = [
    raw(Kind.BEGIN, b"7", nonce=b"ffffffffffffffff"),
    raw(Kind.BEGIN, b"7", nonce=b""),
    raw(Kind.BEGIN, b"7", nonce=NONCE.upper()),
    raw(Kind.BEGIN, b"7", nonce=NONCE + b"0"),
    raw(Kind.BEGIN, b"7", nonce=NONCE[:-1]),
    INTRODUCER + b"C" + BEL,
    INTRODUCER + b"C;7" + BEL,
    INTRODUCER + b"Z;" + NONCE + b";7;" + NONCE + BEL,
    ESC + b"]1337;C;" + NONCE + b";7;" + NONCE + BEL,
    b"]133;C;" + NONCE + b";7;" + NONCE + BEL,
    NONCE,
]


@every_way
@pytest.mark.parametrize("forged", FORGED, ids=repr)
def test_a_forged_mark_is_text(forged: bytes, way: str) -> None:
    real = mark(Kind.BEGIN, b"7")

    check_every_way(forged + real.raw + forged, [Text(forged), real, Text(forged)], way)


@every_way
@pytest.mark.parametrize(
    ("kind", "count"), [(kind, count) for kind in Kind for count in range(1, FIELDS[kind])]
)
def test_a_mark_with_too_few_fields_is_text(kind: Kind, count: int, way: str) -> None:
    short = raw(kind, *[b"1"] * count)
    real = mark(Kind.BEGIN, b"7")

    check_every_way(short + real.raw, [Text(short), real], way)


@every_way
def test_a_mark_of_another_ending_is_text_up_to_the_right_one(way: str) -> None:
    st_ended = INTRODUCER + b"C;" + NONCE + b";7;" + NONCE + ESC + b"\\"

    check_every_way(st_ended, [Text(st_ended)], way)


@every_way
def test_a_mark_as_long_as_the_limit_is_a_mark(way: str) -> None:
    room = MARK_LIMIT - len(raw(Kind.PROMPT, b"7", b"7", b"0", b"", b""))
    longest = mark(Kind.PROMPT, b"7", b"7", b"0", b"", b"/" * room)

    check_every_way(longest.raw, [longest], way)


@every_way
def test_a_longer_mark_is_text_and_the_next_one_a_mark(way: str) -> None:
    room = MARK_LIMIT - len(raw(Kind.PROMPT, b"7", b"7", b"0", b"", b""))
    longer = raw(Kind.PROMPT, b"7", b"7", b"0", b"", b"/" * (room + 1))
    real = mark(Kind.BEGIN, b"7")

    check_every_way(longer + real.raw, [Text(longer), real], way)


@every_way
def test_an_opening_that_never_closes_is_text_at_the_end(way: str) -> None:
    opened = INTRODUCER + b"C;" + NONCE + b";7"

    check_every_way(b"a" + opened, [Text(b"a" + opened)], way)


@every_way
@pytest.mark.parametrize("size", range(1, len(INTRODUCER + b"C;" + NONCE + b";") + 1))
def test_the_beginning_of_an_opening_is_text_at_the_end(size: int, way: str) -> None:
    opening = (INTRODUCER + b"C;" + NONCE + b";")[:size]

    check_every_way(b"a" + opening, [Text(b"a" + opening)], way)


@every_way
@pytest.mark.parametrize("before", [ESC, ESC + b"]", INTRODUCER, INTRODUCER + b"C;", ESC * 40])
def test_a_false_start_before_a_mark_is_text(before: bytes, way: str) -> None:
    real = mark(Kind.BEGIN, b"7")

    check_every_way(before + real.raw, [Text(before), real], way)


@every_way
def test_invalid_utf8_and_control_bytes_pass(way: str) -> None:
    data = bytes(range(256)) + b"\xc3\x28\xf0\x9f" + bytes(range(255, -1, -1))

    check_every_way(data, [Text(data)], way, erase=REAL_LINES)


@every_way
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("line", [LINE, OTHER])
def test_a_line_of_ours_is_left_out_with_its_newline(line: bytes, newline: bytes, way: str) -> None:
    check_every_way(b"a\n" + line + newline + b"b\n", [Text(b"a\nb\n")], way, erase=(LINE, OTHER))


@every_way
def test_a_line_of_ours_is_left_out_wherever_it_ends_a_line(way: str) -> None:
    check_every_way(b"+ " + LINE + b"\nb\n", [Text(b"+ b\n")], way, erase=(LINE,))


@every_way
@pytest.mark.parametrize("following", [b" x\n", b"\rx\n", b";", LINE[:5], b"\x1b[m"])
def test_a_line_of_ours_without_a_newline_stays(following: bytes, way: str) -> None:
    check_every_way(LINE + following, [Text(LINE + following)], way, erase=(LINE, OTHER))


@every_way
@pytest.mark.parametrize("following", [b"", b"\r"])
def test_a_line_of_ours_at_the_end_of_the_stream_stays(following: bytes, way: str) -> None:
    check_every_way(b"a" + LINE + following, [Text(b"a" + LINE + following)], way, erase=(LINE,))


@every_way
def test_lines_of_ours_before_between_and_behind_marks_are_left_out(way: str) -> None:
    begin, prompt = mark(Kind.BEGIN, b"7"), mark(Kind.PROMPT, *WHOLE_MARKS[Kind.PROMPT])
    data = LINE + b"\n" + begin.raw + b"x\n" + OTHER + b"\r\n" + LINE + b"\n" + prompt.raw

    check_every_way(data, [begin, Text(b"x\n"), prompt], way, erase=(LINE, OTHER))


@every_way
@pytest.mark.parametrize(
    "lines", [(b"{ x=1; } >/dev/null", b"x=1"), (b"x=1", b"{ x=1; } >/dev/null")]
)
def test_a_line_of_ours_within_a_longer_one_does_not_hide_it(
    lines: tuple[bytes, ...], way: str
) -> None:
    data = b"a\n{ x=1; } >/dev/null\nx=1\n{ x=1; } >/dev/nul\n{ x=1\n"
    expected = b"a\n{ x=1; } >/dev/nul\n{ "

    check_every_way(data, [Text(expected)], way, erase=lines)


@every_way
def test_a_line_of_ours_that_a_mark_interrupts_stays(way: str) -> None:
    begin = mark(Kind.BEGIN, b"7")
    data = LINE[:9] + begin.raw + LINE[9:] + b"\n"

    check_every_way(data, [Text(LINE[:9]), begin, Text(LINE[9:] + b"\n")], way, erase=(LINE,))


def test_text_is_given_out_at_once_unless_it_may_be_ours() -> None:
    parser = StreamParser(NONCE)

    parser.receive_data(b"Password: ")
    first = drain(parser)
    parser.receive_data(b"ok" + INTRODUCER[:3])
    second = drain(parser)

    assert (first, second) == ([Text(b"Password: ")], [Text(b"ok")])
    assert parser.close() == INTRODUCER[:3]


def test_nothing_is_needed_from_an_empty_stream() -> None:
    parser = StreamParser(NONCE)

    assert parser.next_event() is NEED_DATA
    assert parser.close() == b""


def test_a_parser_that_learns_what_to_erase_goes_on_where_the_old_one_stood() -> None:
    begin = mark(Kind.BEGIN, b"7")
    old = StreamParser(NONCE)
    old.receive_data(begin.raw[:9])
    assert drain(old) == []

    new = old.erasing(LINE)
    new.receive_data(begin.raw[9:] + LINE + b"\nx")

    assert merged(drain(new)) == [begin, Text(b"x")]
    assert old.close() == b""


def test_a_field_that_is_no_number_is_none() -> None:
    odd = Mark(Kind.PROMPT, (b"", b"-1", "\u0661".encode()), b"")

    assert [odd.number(index) for index in range(3)] == [None, None, None]
    assert Mark(Kind.BEGIN, (b"0000000017",), b"").number(0) is None
    assert Mark(Kind.BEGIN, (b"017",), b"").number(0) == 17


_pieces = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            b"\n",
            b"\r\n",
            b"\r",
            ESC,
            INTRODUCER,
            INTRODUCER + b"C;" + NONCE,
            raw(Kind.BEGIN, b"1"),
            raw(Kind.END, *END_FIELDS),
            raw(Kind.END, *END_FIELDS, newline=b"\n"),
            raw(Kind.PROMPT, b"1", b"1", b"0", b"", b"/a;b"),
            raw(Kind.PROMPT, b"1"),
            NONCE,
            b";" + NONCE + BEL,
            *REAL_LINES,
            *(line[:7] for line in REAL_LINES),
            *(line + b"\n" for line in REAL_LINES),
        ]
    ),
)


@given(pieces=st.lists(_pieces, max_size=10), data=st.data())
def test_how_the_bytes_are_split_changes_nothing(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    bounds = zip([0, *cuts], [*cuts, len(whole)], strict=True)

    expected = parse([whole], erase=REAL_LINES)

    assert parse([whole[start:end] for start, end in bounds], erase=REAL_LINES) == expected
    assert parse(single(whole), erase=REAL_LINES) == expected


@given(pieces=st.lists(_pieces, max_size=10))
def test_no_byte_is_lost_without_lines_to_erase(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)

    events = parse(single(whole))

    given_out = [event.data if isinstance(event, Text) else event.raw for event in events]
    assert b"".join(given_out) == whole


@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_random_bytes_come_out_exactly(data: bytes, cut: int) -> None:
    if NONCE in data:
        return

    assert parse([data[:cut], data[cut:]]) == merged([Text(data)])
