"""Who waits for the terminal, from what the script beside the shell prints."""

from __future__ import annotations

import pytest

from ctrkernel.session.readers import Waiting, parse_terminal, who_waits

SHELL = 15
PLAIN = "isig icanon icrnl -echo echok"
KEYS = "isig -icanon icrnl iexten -echo"
RAW = "isig -icanon -icrnl -echo echok"
FG = f"S S {SHELL} 40 1400 bash\0--noediting\0-i"
AT_SHELL = f"S S {SHELL} {SHELL} 1400 bash\0--noediting\0-i"


def look(*lines: str, modes: str = PLAIN, said: str = "Name: ", code: str = "") -> Waiting | None:
    seen = parse_terminal("\n".join([*lines, f"M speed 38400 baud; {modes}"]) + "\n")
    assert seen is not None
    return who_waits(seen, said, pid=SHELL, code=code)


def test_a_shell_that_is_gone_is_nothing() -> None:
    assert parse_terminal("") is None


def test_a_program_in_a_read_of_its_terminal_waits() -> None:
    waiting = look(FG, "P 40 S cat", "T wait_woken 0 0x0 0x7f 0x20000 0x0", "F 0t 1t 2t")

    assert waiting is not None
    assert (waiting.pid, waiting.group, waiting.name) == (40, 40, "cat")
    assert (waiting.prompt, waiting.hidden, waiting.shell) == ("Name: ", False, False)


@pytest.mark.parametrize(
    "lines",
    [
        ("P 15 S bash", "T wait_woken 0 0x0 0x55 0x1000", "F 0t 1t 2t 255t"),
        ("P 15 S bash", "T poll_schedule_timeout.constprop.0 270 0x1 0x7ffc98f49510", "F 0t 1t 2t"),
        ("P 15 S sh", "T poll_schedule_timeout.constprop.0 7 0x7ffd3cca60d8 0x1", "F 0t 10T 1t"),
        ("P 15 S sh", "T wait_woken -", "F 0t 10T 1t"),
    ],
    ids=["read", "read-t", "ash", "no-right-to-look"],
)
def test_a_shell_that_reads_waits(lines: tuple[str, ...]) -> None:
    waiting = look(AT_SHELL, *lines)

    assert waiting is not None
    assert waiting.shell


@pytest.mark.parametrize(
    "lines",
    [
        ("P 40 S sleep", "T hrtimer_nanosleep 230 0x0 0x0"),
        ("P 40 S nc", "T wait_woken 45 0x3 0x7f", "F 0t 1t 2t 3s"),
        ("P 40 S nc", "T wait_woken -", "F 0t 1t 2t 3s"),
        ("P 40 S tail", "T poll_schedule_timeout.constprop.0 7 0x7ffd3cca60d8 0x2", "F 0t 1t 3a"),
        ("P 40 S inotify", "T wait_woken 0 0x3 0x7f", "F 0t 1t 3a"),
        ("P 40 S perl", "T poll_schedule_timeout.constprop.0 23 0x0 0x0", "F 0t 1t 2t"),
        ("P 40 S cat", "T wait_woken 0 0x0 0x7f", "F 0t 1p", "P 41 R gzip", "T 0 running"),
        ("P 40 S cat", "T wait_woken 1 0x1 0x7f", "F 0t 1t 2t 3f"),
        ("P 40 S cat", "T wait_woken 64 0x1 0x7f", "F 0t 1t 2t 3f"),
        ("P 40 T cat", "T do_signal_stop -", "F 0t"),
        ("P 40 S sh", "T poll_schedule_timeout.constprop.0 7 0x7ffd3cca60d8 0x1", "F 0p 1t"),
        ("P 40 S node", "T ep_poll 232 0xd 0x7ffd3cca60d8", "F 0t 1t 13a 20s"),
    ],
    ids=[
        "sleep",
        "socket",
        "socket-no-right",
        "tail",
        "inotify",
        "select-sleep",
        "pipeline-works",
        "terminal-full",
        "terminal-full-on-arm",
        "stopped",
        "pipe",
        "server",
    ],
)
def test_what_waits_for_something_else_does_not(lines: tuple[str, ...]) -> None:
    assert look(FG, *lines) is None


def test_a_pager_is_left_alone() -> None:
    lines = "P 40 S less", "T wait_woken 0 0x3 0x7f", "F 0t 1t 2t 3t 4f"

    assert look(FG, *lines, modes=RAW, said="root\n:\x1b[K") is None
    assert look(FG, *lines, modes=RAW, said="\x1b[?1049h~") is None


def test_a_line_editor_that_waits_for_other_things_too_waits() -> None:
    lines = "P 40 S ipython", "T ep_poll 232 0xd 0x7ffd3cca60d8", "F 0t 1t 13a 20s"

    waiting = look(FG, *lines, modes=RAW, said="\x1b[?2004hIn [1]: ")

    assert waiting is not None
    assert (waiting.raw, waiting.edits, waiting.prompt) == (True, True, "In [1]: ")


def test_who_passes_lines_on_key_by_key_wants_enter() -> None:
    lines = "P 40 S ssh", "T poll_schedule_timeout 7 0x55841fa3b6d0 0x3", "F 0t 1t 2t 3s"

    waiting = look(FG, *lines, modes=RAW, said="Continue? [y/N] ")

    assert waiting is not None
    assert (waiting.edits, waiting.draws, waiting.keys) == (True, False, False)


def test_a_session_that_a_program_has_begun_is_looked_at_too() -> None:
    lines = "P 40 S su", "T do_wait 61 0x29 0x7f", "D 41 S cat", "T wait_woken 0 0x0 0x7f", "F 0t"

    waiting = look(FG, *lines)

    assert waiting is not None
    assert (waiting.pid, waiting.group, waiting.detached) == (41, 40, True)


@pytest.mark.parametrize(
    ("lines", "modes", "said", "code", "hidden"),
    [
        ("F 0t", PLAIN, "Name: ", "", False),
        ("F 0t", PLAIN, "Password: ", "", True),
        ("F 0t", PLAIN.replace("echok", "-echok"), "Key: ", "read -s", True),
        ("F 0t", f"{KEYS} -echok", "Key: ", "read -s -n1", True),
        ("F 0t", f"{KEYS} echok", "Key: ", "read -n1", False),
        ("F 0t", PLAIN.replace("isig", "-isig"), "Key: ", "", True),
        ("F 0T", PLAIN, "Key: ", "", True),
        ("F 0T", PLAIN, "Username for 'https://example.org': ", "", False),
        ("F 0t", PLAIN, "Key: ", "stty -echo; read x", True),
        ("F 0t", PLAIN.replace("-echo", "echo"), "Name: ", "stty -echo; stty echo", False),
    ],
    ids=[
        "open",
        "prompt",
        "read-s",
        "read-s-n1",
        "read-n1",
        "getpass",
        "tty",
        "username",
        "stty",
        "echo",
    ],
)
def test_what_is_hidden(lines: str, modes: str, said: str, code: str, *, hidden: bool) -> None:
    reads = "P 40 S prog", "T wait_woken 0 0x0 0x7f", lines

    waiting = look(FG, *reads, modes=modes, said=said, code=code)

    assert waiting is not None
    assert waiting.hidden is hidden


def test_another_user_s_program_is_asked_for_only_if_it_wants_a_password() -> None:
    lines = "P 39 S runuser", "T do_wait 61 0x1 0x7f", "P 40 S sudo", "T 0 -", "F 0a 1a 2a"

    waiting = look(FG, *lines, said="[sudo] password for ann: ")

    assert waiting is not None
    assert (waiting.pid, waiting.hidden) == (40, True)
    assert look(FG, *lines, said="Name: ") is None
    assert look(FG, *lines, said="Checking the password file … ") is None
    assert look(FG, *lines, modes=RAW, said="postgres=# ") is not None
