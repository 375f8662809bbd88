"""What the end of a program's output says of the input that it wants."""

from __future__ import annotations

import pytest

from ctrkernel.protocol.prompt import (
    PROMPT_LIMIT,
    edits_lines,
    is_secret,
    looks_like_prompt,
    owns_screen,
    prompt_of,
)


@pytest.mark.parametrize(
    ("said", "prompt"),
    [
        ("", ""),
        ("done\n", ""),
        ("one\nName: ", "Name: "),
        ("\x1b[?2004h\x1b[1;32mroot@web\x1b[0m:/# ", "root@web:/# "),
        ("\x1b]0;a title\x07$ ", "$ "),
        ("50%\r100%\rGo on? ", "Go on? "),
        ("Go on? \r", "Go on? "),
        ("\x1b[1G\x1b[0J> \x1b[3G", "> "),
        ("\x07\x00x: ", "x: "),
        ("y" * 1000, "y" * PROMPT_LIMIT),
    ],
)
def test_the_prompt_is_the_line_of_the_cursor_as_a_person_reads_it(said: str, prompt: str) -> None:
    assert prompt_of(said) == prompt


@pytest.mark.parametrize(
    "prompt",
    ["Password: ", "[sudo] password for ann: ", "Enter passphrase for key '/k': ", "Vault token: "],
)
def test_a_prompt_for_a_password_is_told(prompt: str) -> None:
    assert is_secret(prompt)
    assert looks_like_prompt(prompt)


@pytest.mark.parametrize("prompt", ["Name: ", ">>> ", "Go on? [y/N] ", "Spin: ", ""])
def test_others_are_not(prompt: str) -> None:
    assert not is_secret(prompt)


@pytest.mark.parametrize(
    "said",
    [
        "\x1b[?1049h\x1b[?2004h~\n",
        "\x1b[?1h\x1b=root\n:",
        "text\n:\x1b[K",
        "a\nb\n\x1b[7m(END)\x1b[27m",
        "a\n\x1b[7m--More--(5%)\x1b[27m",
        "a\n--More-- (10% of 1092 bytes)",
        "\x1b[H\x1b[JTasks: 3\n",
        "menu\x1b[?25l",
    ],
    ids=["editor", "less", "less-colon", "less-end", "more", "busybox-more", "top", "menu"],
)
def test_what_owns_the_screen_wants_keys(said: str) -> None:
    assert owns_screen(said)


@pytest.mark.parametrize(
    "said",
    ["Sure? ", "\x1b[?2004h>>> ", "\x1b[?1h\x1b=\x1b[?2004h>>> ", "\x1b[?1049hx\x1b[?1049l$ "],
    ids=["key", "readline", "pyrepl", "after-an-editor"],
)
def test_what_prompts_does_not_own_the_screen(said: str) -> None:
    assert not owns_screen(said)


def test_a_line_editor_is_told_while_it_reads_and_not_while_a_command_runs() -> None:
    assert edits_lines("\x1b[?2004h>>> ")
    assert not edits_lines("\x1b[?2004h>>> 1\r\n\x1b[?2004l\r")
