"""The talk with a shell, by bytes made by hand: what comes in decides what it means."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctrkernel.protocol.conversation import (
    GREETING_LIMIT,
    HELD_LIMIT,
    INTERRUPTED,
    LATE_KEYS,
    UNKNOWN_STATUS,
    Conversation,
    Done,
    Happening,
    Output,
    Phase,
    Ready,
    Type,
)
from ctrkernel.protocol.dialects import Bash, Posix, ShellState
from ctrkernel.protocol.dialects.base import TERMINAL
from ctrkernel.protocol.dialects.display import DISPLAY
from ctrkernel.protocol.marks import BEL, HOME_MARK, INTRODUCER, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

NONCE = "00112233aabbccdd"
#: proc_pid_stat(5) with a name that holds what could mislead; 4711 is field 22, 8192 is 28.
STAT = b"31 (a) S (b) S 1 31 31 34816 31 4194560 2 3 0 0 1 2 3 4 20 0 1 0 4711 2 3 4 5 6 8192"


def mark(kind: Kind, *fields: bytes) -> bytes:
    nonce = NONCE.encode()
    return INTRODUCER + b";".join([kind.value, nonce, *fields, nonce]) + BEL


def hello(
    *, bash: bytes = b"5.2", zsh: bytes = b"", stty: bytes = b"0", stat: bytes = STAT
) -> bytes:
    return mark(Kind.HELLO, b"31", bash, zsh, stty, b"himBHs", stat)


def prompt(
    gate: int,
    *,
    begun: int | None = None,
    status: bytes = b"0",
    flags: bytes = b"himBHs",
    cwd: bytes = b"/srv",
    kind: Kind = Kind.PROMPT,
) -> bytes:
    begun_field = b"%d" % (gate if begun is None else begun)
    return mark(kind, b"%d" % gate, begun_field, status, flags, cwd)


def gate(seq: int) -> bytes:
    return mark(Kind.GATE, b"%d" % seq)


def begin(seq: int) -> bytes:
    return mark(Kind.BEGIN, b"%d" % seq)


def end(
    seq: int,
    *,
    begun: int | None = None,
    line_status: bytes = b"0",
    status: bytes = b"0",
    pipe: bytes = b"0",
    flags: bytes = b"himBHs",
    intact: bytes = b"1",
    terminal: bytes = b"1",
    cwd: bytes = b"/srv",
    home: bytes = b"/root",
    newline: bytes = b"\n",
) -> bytes:
    begun_field = b"%d" % (seq if begun is None else begun)
    places = cwd + HOME_MARK + home
    statuses = (line_status, status, pipe)
    fields = (b"%d" % seq, begun_field, *statuses, flags, intact, terminal, places)
    return mark(Kind.END, *fields) + newline


def ready(**about: bytes) -> Conversation:
    """Return a conversation at its first prompt."""
    talk = Conversation(NONCE)
    talk.receive(hello(**about))
    assert any(isinstance(each, Ready) for each in talk.receive(prompt(0)))
    return talk


def running(talk: Conversation, code: str = "true") -> int:
    """Submit a cell and have it begin; return its sequence number."""
    talk.submit(code)
    assert talk.receive(begin(talk.seq)) == []
    return talk.seq


def typed(talk: Conversation, code: str = "true") -> list[bytes]:
    return talk.submit(code).splitlines()


def written(happenings: Iterable[Happening]) -> tuple[bytes, bytes]:
    """Return the output of the cell, and the late output."""
    outputs = [each for each in happenings if isinstance(each, Output)]
    return (
        b"".join(each.data for each in outputs if not each.late),
        b"".join(each.data for each in outputs if each.late),
    )


def last_done(happenings: Iterable[Happening]) -> Done:
    (done,) = [each for each in happenings if isinstance(each, Done)]
    return done


# The start


def test_the_first_line_is_the_same_each_time() -> None:
    talk = Conversation(NONCE)

    assert talk.hello() == talk.hello()
    assert talk.hello().endswith(b"\n")
    assert (talk.phase, talk.busy) == (Phase.STARTING, False)


def test_an_answer_is_followed_by_the_setup_and_then_by_readiness() -> None:
    talk = Conversation(NONCE)
    dialect = Bash(NONCE)

    answered = talk.receive(b"# " + hello() + b"\n# ")
    prompted = talk.receive(prompt(0))

    lines = [*dialect.setup(), *DISPLAY, *dialect.prompts(), dialect.first_line()]
    assert answered == [Type(b"\n".join(lines) + b"\n")]
    assert prompted == [Ready(pid=31, started=4711, image=8192, shell="bash 5.2")]
    assert (talk.phase, talk.busy) == (Phase.IDLE, False)
    assert talk.state.prompts_intact


@pytest.mark.parametrize(
    ("bash", "zsh", "shell"),
    [(b"5.2", b"", "bash 5.2"), (b"", b"5.9", "zsh 5.9"), (b"", b"", "sh")],
)
def test_the_shell_says_what_it_is(bash: bytes, zsh: bytes, shell: str) -> None:
    talk = Conversation(NONCE)
    talk.receive(hello(bash=bash, zsh=zsh))

    assert talk.receive(prompt(0)) == [Ready(31, 4711, 8192, shell)]


@pytest.mark.parametrize("stat", [b"", b"31 (sh) S 1 2", b"no parenthesis"])
def test_a_shell_without_its_line_in_proc_has_no_start(stat: bytes) -> None:
    talk = Conversation(NONCE)
    talk.receive(hello(stat=stat))

    assert talk.receive(prompt(0)) == [Ready(31, 0, 0, "bash 5.2")]


def test_an_answer_that_comes_twice_counts_once() -> None:
    talk = Conversation(NONCE)
    talk.receive(hello())

    assert talk.receive(hello() + prompt(0) + hello()) == [Ready(31, 4711, 8192, "bash 5.2")]
    assert talk.receive(hello()) == []


def test_what_comes_before_the_first_prompt_is_the_greeting_and_no_output() -> None:
    talk = Conversation(NONCE)

    happenings = talk.receive(b"Welcome\n" + hello() + b"to the machine\n" + prompt(0))

    assert written(happenings) == (b"", b"")
    assert talk.greeting == b"Welcome\nto the machine\n"


def test_of_a_long_greeting_the_end_is_kept() -> None:
    talk = Conversation(NONCE)

    for _ in range(10):
        talk.receive(b"x" * GREETING_LIMIT)
    talk.receive(b"the end")

    assert len(talk.greeting) == GREETING_LIMIT
    assert talk.greeting.endswith(b"xthe end")


def test_only_a_shown_prompt_ends_the_setup() -> None:
    talk = Conversation(NONCE)
    talk.receive(hello())

    assert talk.receive(prompt(0, kind=Kind.PRECMD)) == []
    assert talk.phase is Phase.SETUP


# A cell's life


def test_a_cell_begins_writes_and_ends() -> None:
    talk = ready()
    data = talk.submit("echo hi; false")

    staged = talk.receive(prompt(0))
    begun = talk.receive(begin(1))
    text = talk.receive(b"hi\n")
    ended = talk.receive(end(1, status=b"1", pipe=b"1", cwd=b"/tmp", home=b"/home/me"))

    assert data.endswith(b"\n")
    assert (staged, begun) == ([], [])
    assert text == [Output(b"hi\n")]
    assert ended == [Done(status=1, cwd="/tmp", home="/home/me")]
    assert (talk.phase, talk.busy) == (Phase.IDLE, False)
    assert talk.state == ShellState(
        flags="himBHs", status=1, pipe_status=(1,), prompts_intact=True, finished=True
    )


def test_a_cell_is_busy_from_its_submission_to_its_end() -> None:
    talk = ready()

    talk.submit("true")
    staging = talk.phase, talk.busy
    talk.receive(begin(1))
    begun = talk.phase, talk.busy
    talk.receive(end(1))

    assert staging == (Phase.STAGING, True)
    assert begun == (Phase.RUNNING, True)
    assert not talk.busy


def test_each_cell_has_its_own_number() -> None:
    talk = ready()

    for seq in range(1, 5):
        assert f"_g={seq}; ".encode() in talk.submit("true") + b"; "
        assert last_done(talk.receive(begin(seq) + end(seq) + prompt(seq))).status == 0


def test_the_prompt_after_an_end_mark_ends_nothing_twice() -> None:
    talk = ready()
    running(talk)

    happenings = talk.receive(end(1) + prompt(1, kind=Kind.PRECMD) + prompt(1))

    assert happenings == [Done(0, "/srv", "/root")]
    talk.submit("true")
    assert talk.receive(prompt(1)) == []
    assert talk.busy


def test_the_output_is_exact_to_the_byte() -> None:
    talk = ready()
    running(talk)
    data = bytes(range(256)) + b"\r\n\r\r\n\n\nno newline"

    happenings = talk.receive(data + end(1))

    assert written(happenings) == (data, b"")


@pytest.mark.parametrize(
    ("cwd", "name"),
    [
        (b"", ""),
        (b"/a;b", "/a;b"),
        (b"/line\nbell\x07esc\x1b", "/line\nbell\x07esc\x1b"),
        ("/größe".encode(), "/größe"),
        (b"/\xff", "/\udcff"),
    ],
)
def test_a_directory_of_any_name_comes_back(cwd: bytes, name: str) -> None:
    talk = ready()
    running(talk)

    done = last_done(talk.receive(end(1, cwd=cwd)))

    assert done.cwd == name
    assert done.cwd.encode("utf-8", "surrogateescape") == cwd


def test_a_home_that_is_not_set_is_empty() -> None:
    talk = ready()
    running(talk)

    assert last_done(talk.receive(end(1, home=b""))).home == ""


def test_the_status_and_the_pipe_status_come_back_with_the_next_cell() -> None:
    talk = ready()
    running(talk, "true | false | sh -c 'exit 3'")
    talk.receive(end(1, status=b"3", pipe=b"0 1 3"))
    assert talk.state.pipe_status == (0, 1, 3)

    line = typed(talk)[-1]

    assert b"(\\\\builtin exit 0) | (\\\\builtin exit 1) | (\\\\builtin exit 3)" in line


def test_a_pipe_status_that_is_none_is_the_status() -> None:
    talk = ready()
    running(talk)

    talk.receive(end(1, status=b"2", pipe=b"2 x"))

    assert (talk.state.status, talk.state.pipe_status) == (2, (2,))


# Ends that are no ordinary end


def test_code_that_did_not_reach_its_end_takes_the_status_of_the_line() -> None:
    talk = ready()
    running(talk)

    happenings = talk.receive(b"oops\n" + end(1, line_status=b"130", status=b"", pipe=b""))

    assert last_done(happenings).status == 130
    assert talk.state.finished is False
    assert talk.state.pipe_status == (130,)


def test_after_unfinished_code_an_empty_line_is_typed_first() -> None:
    talk = ready()
    running(talk)
    talk.receive(end(1, status=b""))

    assert typed(talk)[0] == b""
    talk.receive(begin(2) + end(2))
    assert typed(talk)[0] != b""


def test_a_syntax_error_of_a_checked_cell_shows_though_nothing_began() -> None:
    talk = ready()
    talk.submit("if true; fi")

    happenings = talk.receive(
        b"bash: syntax error near `fi'\n" + end(1, line_status=b"2", status=b"")
    )

    assert written(happenings) == (b"bash: syntax error near `fi'\n", b"")
    assert happenings[-1] == Done(2, "/srv", "/root")


def test_an_interrupt_before_the_begin_mark_ends_the_cell_with_the_prompt() -> None:
    talk = ready()
    talk.submit("sleep 9")

    happenings = talk.receive(b"^C\n" + prompt(1, begun=0, status=b"130"))

    assert written(happenings) == (b"^C\n", b"")
    assert last_done(happenings) == Done(130, "/srv", "")
    assert not talk.state.finished


@pytest.mark.parametrize("way", ["end", "prompt"])
def test_a_cell_that_was_not_run_though_all_was_well_is_typed_again_plainly(way: str) -> None:
    talk = ready()
    talk.submit("echo hi")
    never_begun = {"end": end(1, begun=0, status=b""), "prompt": prompt(1, begun=0)}[way]

    (again,) = talk.receive(never_begun)
    happenings = talk.receive(begin(2) + b"hi\n" + end(2))

    assert isinstance(again, Type)
    assert b"echo hi" in again.data
    assert happenings == [Output(b"hi\n"), Done(0, "/srv", "/root")]


def test_a_cell_that_is_not_run_twice_over_ends() -> None:
    talk = ready()
    talk.submit("echo hi")
    talk.receive(prompt(1, begun=0))

    assert last_done(talk.receive(prompt(2, begun=0))) == Done(0, "/srv", "")


#: How a shell tells that an interrupt came before the code began.
BEFORE_IT_BEGAN = {
    "end": lambda seq: end(seq, begun=0, status=b"", line_status=b"130"),
    "prompt": lambda seq: prompt(seq, begun=0, status=b"130"),
}


@pytest.mark.parametrize("way", BEFORE_IT_BEGAN)
def test_a_cell_that_the_last_ones_interrupt_has_hit_is_typed_again(way: str) -> None:
    talk = ready()
    running(talk)
    talk.receive(end(1, status=b"3", pipe=b"1 3"))
    talk.interrupted = True
    talk.submit("echo hi")

    job, again = talk.receive(b"\r\njob\r\n" + BEFORE_IT_BEGAN[way](2))
    happenings = talk.receive(begin(3) + b"hi\n" + end(3))

    assert job == Output(b"job")
    assert isinstance(again, Type)
    assert b"echo hi" in again.data
    assert b"exit 1) | (\\\\builtin exit 3)" in again.data
    assert not talk.state.plain
    assert happenings == [Output(b"hi\n"), Done(0, "/srv", "/root")]


@pytest.mark.parametrize("way", BEFORE_IT_BEGAN)
def test_a_cell_whose_own_key_came_before_it_began_ends(way: str) -> None:
    talk = ready()
    running(talk)
    talk.receive(end(1))
    talk.interrupted = True
    talk.submit("echo hi")
    talk.pressed = True

    assert last_done(talk.receive(BEFORE_IT_BEGAN[way](2))).status == INTERRUPTED


def test_a_cell_that_the_last_ones_interrupt_has_hit_is_typed_again_though_it_was_silent() -> None:
    talk = ready()
    running(talk)
    talk.receive(end(1))
    talk.interrupted = True
    talk.submit("echo hi")
    talk.release()
    talk.receive(b"\r\n")

    (again,) = talk.receive(end(2, begun=0, status=b"", line_status=b"130"))

    assert isinstance(again, Type)


def test_a_cell_is_not_typed_again_for_ever() -> None:
    talk = ready()
    running(talk)
    talk.receive(end(1))
    talk.interrupted = True
    talk.submit("echo hi")
    for number in range(LATE_KEYS):
        (again,) = talk.receive(prompt(2 + number, begun=0, status=b"130"))
        assert isinstance(again, Type)

    assert last_done(talk.receive(prompt(2 + LATE_KEYS, begun=0, status=b"130"))).status == 130


def test_an_interrupt_ends_a_cell_with_the_prompt() -> None:
    talk = ready()
    running(talk)

    happenings = talk.receive(b"half\n" + prompt(1, status=b"130", cwd=b"/tmp"))

    assert happenings == [Output(b"half\n"), Done(130, "/tmp", "")]


def test_a_prompt_of_prompt_command_alone_ends_a_cell_and_tells_that_ps1_is_lost() -> None:
    talk = ready()
    running(talk, "PS1='$ '")

    done = last_done(talk.receive(prompt(1, kind=Kind.PRECMD)))

    assert done.status == 0
    assert not talk.state.prompts_intact


def test_a_prompt_that_is_shown_after_all_is_intact() -> None:
    talk = ready()
    running(talk)
    talk.receive(prompt(1, kind=Kind.PRECMD))

    talk.receive(prompt(1))

    assert talk.state.prompts_intact


@pytest.mark.parametrize("seq", [0, 2, 41])
def test_a_prompt_of_another_gate_ends_nothing(seq: int) -> None:
    talk = ready()
    running(talk)

    assert talk.receive(prompt(seq)) == []
    assert talk.busy


@pytest.mark.parametrize("kind", [Kind.PROMPT, Kind.PRECMD])
def test_a_prompt_that_was_not_expanded_is_what_the_cell_printed(kind: Kind) -> None:
    talk = ready()
    running(talk, 'echo "$PS1"')
    unexpanded = mark(kind, b"${__ctrk_g-}", b"${__ctrk_k-}", b"$?", b"$-", b"${PWD-}")

    happenings = talk.receive(unexpanded + b"\n" + end(1))

    assert written(happenings) == (unexpanded + b"\n", b"")


@pytest.mark.parametrize("seq", [0, 2, 10])
def test_marks_of_another_cell_are_what_the_cell_printed(seq: int) -> None:
    talk = ready()
    running(talk)
    foreign = begin(seq) + end(seq) + gate(seq)

    happenings = talk.receive(foreign)

    assert written(happenings) == (foreign, b"")
    assert talk.busy


def test_a_second_begin_mark_is_text() -> None:
    talk = ready()
    running(talk)

    assert written(talk.receive(begin(1))) == (begin(1), b"")


def test_an_end_that_was_asked_for_and_came_by_itself_is_dropped_in_the_next_cell_too() -> None:
    talk = ready()
    running(talk)
    talk.rescue()
    talk.receive(end(1, status=b"130"))
    talk.submit("echo hi")

    happenings = talk.receive(end(1, status=b"130") + begin(2) + b"hi\n" + end(2))

    assert happenings == [Output(b"hi\n"), Done(0, "/srv", "/root")]


def test_marks_that_come_with_no_cell_are_dropped() -> None:
    talk = ready()

    assert talk.receive(begin(0) + end(0) + gate(0) + begin(1)) == []
    assert talk.phase is Phase.IDLE


def test_a_status_that_nobody_can_tell_is_a_failure() -> None:
    talk = ready()
    running(talk)

    assert last_done(talk.receive(end(1, line_status=b"", status=b""))).status == UNKNOWN_STATUS


# Late output


def test_output_between_cells_is_late() -> None:
    talk = ready()
    running(talk)
    talk.receive(end(1))

    assert talk.receive(b"job\n") == [Output(b"job\n", late=True)]


def test_the_newline_by_which_a_prompt_answers_an_interrupt_too_many_is_nobodys() -> None:
    talk = ready()
    running(talk)
    talk.receive(end(1))
    talk.interrupted = True

    assert talk.receive(b"\n") == []
    assert talk.receive(b"job\n") == [Output(b"job\n", late=True)]
    running(talk)
    talk.receive(end(2))
    assert talk.receive(b"\n") == [Output(b"\n", late=True)]


def test_output_before_the_begin_mark_is_late_and_comes_before_the_cells_own() -> None:
    talk = ready()
    talk.submit("echo mine")

    held = talk.receive(b"job\n")
    happenings = talk.receive(begin(1) + b"mine\n" + end(1))

    assert held == []
    assert happenings[:2] == [Output(b"job\n", late=True), Output(b"mine\n")]


def test_what_is_held_is_bounded() -> None:
    talk = ready()
    size = len(talk.submit("true"))
    flood = b"x" * 4095 + b"\n"

    given_out = 0
    for _ in range(HELD_LIMIT // 4096 + 10):
        given_out += len(written(talk.receive(flood))[0])

    assert given_out >= HELD_LIMIT
    assert len(talk._held) <= HELD_LIMIT + 2 * size + len(flood)


# Echo, verbose and trace


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_the_echo_of_our_lines_is_left_out_and_the_terminal_is_silenced_again(
    newline: bytes,
) -> None:
    talk = ready()
    lines = typed(talk, "echo " + "x" * 2000)
    assert len(lines) > 2

    echo = b"".join(line + newline for line in lines)
    happenings = talk.receive(echo[:100] + echo[100:] + begin(1) + b"x\n" + end(1))

    assert written(happenings) == (b"x\n", b"")
    assert talk.state.terminal_changed
    assert any(TERMINAL.encode() in line for line in typed(talk))


def test_background_output_between_echoed_lines_is_kept() -> None:
    talk = ready()
    first, *rest = typed(talk, "echo " + "x" * 2000)
    echo = b"".join(line + b"\r\n" for line in rest)

    happenings = talk.receive(first + b"\r\njob\r\n" + echo + begin(1) + end(1))

    assert written(happenings) == (b"", b"job\r\n")


def test_a_verbose_shell_is_no_changed_terminal() -> None:
    talk = ready()
    running(talk, "set -v")
    talk.receive(end(1, flags=b"himvBHs"))

    lines = typed(talk)
    happenings = talk.receive(b"\n".join(lines) + b"\n" + gate(2) + begin(2) + end(2))

    assert written(happenings) == (b"", b"")
    assert not talk.state.terminal_changed


def test_what_a_verbose_shell_repeats_of_the_trailer_is_left_out() -> None:
    talk = ready()
    running(talk)
    trailer = Bash(NONCE).trailer.encode()

    happenings = talk.receive(b"a\n" + trailer + b"\n" + end(1))

    assert written(happenings) == (b"a\n", b"")


def test_newlines_that_the_terminal_translates_are_seen_at_the_end_mark() -> None:
    talk = ready()
    running(talk, "stty onlcr")

    talk.receive(end(1, newline=b"\r\n"))

    assert talk.state.terminal_changed
    assert any(TERMINAL.encode() in line for line in typed(talk))


def test_the_terminal_is_silenced_until_it_is_silent() -> None:
    talk = ready()
    running(talk)
    talk.receive(end(1, newline=b"\r\n"))
    running(talk)
    talk.receive(end(2, newline=b"\n"))

    assert not talk.state.terminal_changed


def test_the_trace_of_our_line_behind_the_gate_is_left_out() -> None:
    talk = ready()
    running(talk, "set -x")
    talk.receive(end(1, flags=b"himxBHs"))
    talk.submit("true")

    happenings = talk.receive(
        b"job\n" + gate(2) + b"+ eval ...\n" + begin(2) + b"+ true\n" + end(2)
    )

    assert written(happenings) == (b"+ true\n", b"job\n")


def test_a_complaint_behind_the_gate_stays_where_nothing_begins() -> None:
    talk = ready()
    running(talk, "set -x")
    talk.receive(end(1, flags=b"himxBHs"))
    talk.submit("fi")

    happenings = talk.receive(gate(2) + b"sh: Syntax error\n" + prompt(2, status=b"2"))

    assert written(happenings) == (b"sh: Syntax error\n", b"")


def test_a_debug_trap_is_learned_from_its_listing_which_is_left_out() -> None:
    talk = ready()
    talk.submit("true")

    happenings = talk.receive(b"trap -- 'echo \"x\"\ny' DEBUG\n" + begin(1) + end(1))

    assert written(happenings) == (b"", b"")
    assert talk.state.debug_trap
    assert talk.state.traced


def test_other_traps_are_no_debug_trap() -> None:
    talk = ready(bash=b"", zsh=b"5.9")
    talk.submit("true")

    happenings = talk.receive(b"trap -- 'echo bye' EXIT\n" + begin(1) + end(1))

    assert written(happenings) == (b"", b"")
    assert not talk.state.debug_trap


def test_a_debug_trap_that_is_gone_is_forgotten() -> None:
    talk = ready()
    talk.submit("trap - DEBUG")
    talk.receive(b"trap -- 'echo x' DEBUG\n" + begin(1) + end(1))
    talk.submit("true")

    talk.receive(gate(2) + begin(2) + end(2))

    assert not talk.state.debug_trap


def test_flags_and_prompts_are_what_the_end_mark_says() -> None:
    talk = ready()
    running(talk)

    talk.receive(end(1, flags=b"ehimB", intact=b"0"))

    assert (talk.state.flags, talk.state.prompts_intact) == ("ehimB", False)
    assert set(Bash(NONCE).prompts()) < set(typed(talk))


# Without stty


def test_without_stty_newlines_are_restored() -> None:
    talk = ready(stty=b"127")
    running(talk)

    happenings = talk.receive(b"a\r\nb\r\r\n\r") + talk.receive(b"\nc\r" + end(1, newline=b"\r\n"))

    assert written(happenings) == (b"a\nb\r\n\nc\r", b"")
    assert not talk.state.terminal_changed


def test_without_stty_the_echo_is_left_out_and_nothing_is_silenced() -> None:
    talk = ready(stty=b"127", bash=b"")
    lines = typed(talk, "echo " + "x" * 2000)

    happenings = talk.receive(b"\r\n".join(lines) + b"\r\n" + begin(1) + end(1))

    assert written(happenings) == (b"", b"")
    assert not any(TERMINAL.encode() in line for line in typed(talk))


def test_without_stty_a_line_editors_decoration_is_left_out() -> None:
    talk = ready(stty=b"127", bash=b"")
    first, *rest = typed(talk, "echo " + "x" * 2000)

    happenings = talk.receive(
        first + b"\r\n\x1b[J" + b"\r\n".join(rest) + b"\r\n" + begin(1) + b"x\r\n" + end(1)
    )

    assert written(happenings) == (b"x\n", b"")


# Release, rescue, close


def test_release_gives_out_what_was_held_and_what_follows() -> None:
    talk = ready()
    talk.submit("exec cat")
    talk.receive(b"held\n")

    released = talk.release()
    following = talk.receive(b"more\n")

    assert (released, following) == ([Output(b"held\n")], [Output(b"more\n")])
    assert talk.busy


def test_release_keeps_back_what_was_typed() -> None:
    talk = ready()
    lines = typed(talk)
    talk.receive(lines[-1] + b"\r\nPassword: ")

    assert written(talk.release()) == (b"Password: ", b"")


def test_a_begin_mark_after_release_still_begins() -> None:
    talk = ready()
    talk.submit("true")
    talk.release()

    assert talk.receive(begin(1) + b"x" + end(1)) == [Output(b"x"), Done(0, "/srv", "/root")]


def test_release_holds_for_one_cell() -> None:
    talk = ready()
    talk.submit("true")
    talk.release()
    talk.receive(begin(1) + end(1))
    talk.submit("true")

    assert talk.receive(b"job\n") == []


def test_a_rescue_is_a_line_that_writes_the_end_mark() -> None:
    talk = ready()
    running(talk)

    assert Bash(NONCE).end_words(1).encode() in talk.rescue()
    assert talk.rescue().count(b"\n") == 1


def test_close_gives_out_what_a_parser_held() -> None:
    talk = ready()
    running(talk)
    talk.receive(b"a\x1b]133;C")

    assert written(talk.close()) == (b"\x1b]133;C", b"")


def test_close_gives_out_what_a_cell_that_never_began_had_written() -> None:
    talk = ready()
    talk.submit("fi")
    talk.receive(b"sh: fatal\n")

    assert written(talk.close()) == (b"sh: fatal\n", b"")


def test_close_gives_out_a_carriage_return_that_waited() -> None:
    talk = ready(stty=b"127")
    running(talk)
    talk.receive(b"a\r")

    assert written(talk.close()) == (b"\r", b"")


@pytest.mark.parametrize("way", ["starting", "idle"])
def test_close_of_a_talk_without_a_cell_says_nothing(way: str) -> None:
    talk = Conversation(NONCE) if way == "starting" else ready()

    assert talk.close() == []


# However the bytes arrive


def lines_between(talk: Conversation) -> bytes:
    """Return what a shell with everything switched on writes for one cell."""
    echo = b"".join(line + b"\r\n" for line in typed(talk, "echo " + "x" * 2000))
    return (
        b"job\n"
        + echo
        + gate(1)
        + b"trap -- 'echo' DEBUG\n"
        + b"+ trace\n"
        + begin(1)
        + b"out\x1b[0m\n\x1b]133;D;0\x07"
        + Bash(NONCE).trailer.encode()
        + b"\n"
        + end(1, newline=b"\r\n")
        + prompt(1, kind=Kind.PRECMD)
        + prompt(1)
        + b"late\n"
    )


def coalesced(happenings: Iterable[Happening]) -> list[Happening]:
    out: list[Happening] = []
    for each in happenings:
        if (
            isinstance(each, Output)
            and out
            and isinstance(before := out[-1], Output)
            and before.late is each.late
        ):
            out[-1] = Output(before.data + each.data, each.late)
        else:
            out.append(each)
    return out


@given(cuts=st.lists(st.integers(0, 5000), max_size=12))
def test_how_the_bytes_are_split_changes_nothing(cuts: list[int]) -> None:
    whole, cut = ready(), ready()
    data = lines_between(whole)
    lines_between(cut)
    bounds = pairwise(sorted({0, *(min(index, len(data)) for index in cuts), len(data)}))

    expected = coalesced(whole.receive(data))
    happenings = coalesced(each for a, b in bounds for each in cut.receive(data[a:b]))

    assert happenings == expected
    assert expected == [
        Output(b"job\n", late=True),
        Output(b"out\x1b[0m\n\x1b]133;D;0\x07"),
        Done(0, "/srv", "/root"),
        Output(b"late\n", late=True),
    ]
    assert cut.state == whole.state


PIECES = [
    b"text\n",
    b"\x1b",
    b"trap -- '",
    b"' DEBUG\n",
    hello(),
    prompt(0),
    prompt(1),
    prompt(1, kind=Kind.PRECMD),
    gate(1),
    begin(1),
    begin(2),
    end(1),
    end(1, newline=b""),
    mark(Kind.END, b"1"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=20))
def test_no_order_of_marks_brings_the_talk_down(pieces: list[bytes]) -> None:
    talk = ready()
    talk.submit("true")

    happenings = [each for piece in pieces for each in talk.receive(piece)]

    assert sum(isinstance(each, Done) for each in happenings) <= 1
    assert talk.busy is not any(isinstance(each, Done) for each in happenings)
    talk.close()


def test_the_dialect_without_a_version_is_posix() -> None:
    talk = Conversation(NONCE)

    (setup,) = talk.receive(hello(bash=b""))

    assert isinstance(setup, Type)
    assert setup.data.splitlines()[0] == Posix(NONCE).setup()[0]


def test_a_key_that_did_not_signal_is_erased_and_its_complaint_is_nobodys() -> None:
    talk = ready()
    line = talk.submit("true", stray=True)

    happenings = talk.receive(
        b"bash: \x03: command not found\n" + begin(1) + end(1, line_status=b"0", status=b"0")
    )

    assert line.startswith(b"\x15\n")
    assert written(happenings) == (b"", b"")
    assert last_done(happenings).status == 0


def test_a_shell_without_its_terminal_ends_no_cell_but_itself() -> None:
    talk = ready()
    talk.submit("exec </dev/null")

    happenings = talk.receive(begin(1) + b"a\n" + end(1, terminal=b"0") + b"exit\n" + prompt(1))

    assert b"".join(each.data for each in happenings if isinstance(each, Output)) == b"a\nexit\n"
    assert not any(isinstance(each, Done) for each in happenings)
    assert (talk.phase, talk.busy) == (Phase.LEAVING, True)
    assert talk.close() == []


def test_a_shell_that_stays_without_its_terminal_ends_its_cell() -> None:
    talk = ready()
    talk.submit("exec </dev/null; (exit 3)")
    talk.receive(begin(1) + end(1, status=b"3", terminal=b"0", cwd=b"/tmp"))

    assert talk.stay() == [Done(3, "/tmp", "/root")]
    assert not talk.busy


def test_another_shell_in_the_place_of_ours_is_made_ours() -> None:
    talk = ready()
    talk.submit("exec zsh")
    talk.receive(begin(1) + b"new# ")

    talk.replace_shell()
    line = talk.hello()
    answered = talk.receive(b"echo of it\n" + hello(bash=b"", zsh=b"5.9"))
    prompted = talk.receive(b"new# " + prompt(0, cwd=b"/tmp"))

    assert b"unsetopt zle" in line
    assert talk.busy is False
    assert [type(each) for each in answered] == [Type]
    assert prompted == [Ready(31, 4711, 8192, "zsh 5.9"), Done(0, "/tmp", "")]
    assert b"sched" in talk.submit("true")


def test_what_did_not_answer_was_no_other_shell() -> None:
    talk = ready()
    talk.submit("exec zsh")
    talk.receive(begin(1))
    talk.replace_shell()
    talk.receive(b"said meanwhile\n")

    assert talk.resume() == [Output(b"said meanwhile\n")]
    assert (talk.phase, talk.busy) == (Phase.RUNNING, True)
    assert talk.receive(end(1)) == [Done(0, "/srv", "/root")]


def test_only_a_running_cell_can_have_replaced_the_shell() -> None:
    talk = ready()

    talk.replace_shell()

    assert (talk.phase, talk.busy) == (Phase.IDLE, False)


@pytest.mark.parametrize("code", ["export PS1", "PROMPT=a", "PS2=b"])
def test_prompts_are_set_again_after_code_that_names_them(code: str) -> None:
    talk = ready()
    talk.submit(code)

    talk.receive(begin(1) + end(1) + prompt(1))

    assert not talk.state.prompts_intact


def test_code_that_defines_command_is_met_by_marks_that_do_without_it() -> None:
    talk = Conversation(NONCE)
    talk.receive(hello(bash=b"") + prompt(0))

    first = talk.submit("command() { echo MINE; }")
    talk.receive(begin(1) + prompt(1))
    second = talk.submit("true")

    for typed in (first, second):
        assert b"command eval" not in typed
    assert b"unset -f command printf" in first
    assert talk.state.plain
