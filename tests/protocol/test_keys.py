"""Keys by name, and what a terminal sends for them."""

from __future__ import annotations

import pytest

from ctrkernel.errors import UsageError
from ctrkernel.protocol.keys import key_bytes


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("C-c", b"\x03"),
        ("C-C", b"\x03"),
        ("^C", b"\x03"),
        ("C-d", b"\x04"),
        ("C-z", b"\x1a"),
        ("C-\\", b"\x1c"),
        ("C-@", b"\0"),
        ("C-Space", b"\0"),
        ("C-?", b"\x7f"),
        ("C-_", b"\x1f"),
        ("Enter", b"\r"),
        ("RET", b"\r"),
        ("Tab", b"\t"),
        ("S-Tab", b"\x1b[Z"),
        ("Escape", b"\x1b"),
        ("esc", b"\x1b"),
        ("Space", b" "),
        ("BSpace", b"\x7f"),
        ("Delete", b"\x1b[3~"),
        ("Up", b"\x1b[A"),
        ("down", b"\x1b[B"),
        ("C-Left", b"\x1b[1;5D"),
        ("S-M-Right", b"\x1b[1;4C"),
        ("PgUp", b"\x1b[5~"),
        ("C-PageDown", b"\x1b[6;5~"),
        ("F1", b"\x1bOP"),
        ("S-F1", b"\x1b[1;2P"),
        ("F5", b"\x1b[15~"),
        ("F12", b"\x1b[24~"),
        ("M-x", b"\x1bx"),
        ("M-C-x", b"\x1b\x18"),
        ("M-Enter", b"\x1b\r"),
        ("y", b"y"),
        ("-", b"-"),
        ("C--", None),
        ("ä", "ä".encode()),
    ],
)
def test_a_key_sends_what_a_terminal_sends(name: str, sent: bytes | None) -> None:
    if sent is None:
        with pytest.raises(UsageError):
            key_bytes(name)
    else:
        assert key_bytes(name) == sent


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Esape", "Escape"),
        ("PageUpp", "PageUp"),
        ("C-foo", "C-"),
        ("", "use"),
        ("C-", "C-"),
        ("C-ä", ""),
    ],
)
def test_a_name_that_is_no_key_names_one(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="is no key's name") as caught:
        key_bytes(name)

    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)
