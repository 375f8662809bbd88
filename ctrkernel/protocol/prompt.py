r"""What a program's output says of the input that it waits for: its prompt, and who draws it.

A terminal hands out text and escape sequences (ECMA-48; XTerm Control Sequences). The line that
the cursor stands on is the prompt. Who edits lines, as readline does, and who owns the screen, as a
pager does, is told by the modes that they switch.
"""

from __future__ import annotations

import re
from typing import Final

#: Characters of a prompt that are shown: its end.
PROMPT_LIMIT: Final = 200
#: What front ends send where a person presses Ctrl-D.
END_OF_INPUT_KEY: Final = "\x04"
#: What a person enters, alone, for the end of input.
END_OF_INPUT: Final = ("^D", END_OF_INPUT_KEY)

#: Control strings with their ends, control sequences, and other escapes.
_ESCAPE = re.compile(
    r"\x1b[P\]X^_].*?(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]", re.DOTALL
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
#: A move to a column, which begins the line anew.
_FIRST_COLUMN = re.compile(r"\x1b\[(?:0|1)?G")
#: Modes that are switched: what comes last counts.
_PASTE = re.compile(r"\x1b\[\?2004([hl])")
_OTHER_SCREEN = re.compile(r"\x1b\[\?(?:1049|1047|47)([hl])")
_KEYPAD = re.compile(r"\x1b([=>])")
_CURSOR = re.compile(r"\x1b\[\?25([hl])")
#: A cursor that is put somewhere, or a screen that is cleared.
_PLACED = re.compile(r"\x1b\[(?:\d+;\d+)?H|\x1b\[2?J")
#: What pagers say, and what they say to who reads keys: less a colon, others something inverse.
_PAGER = re.compile(r"--\s?more\s?--|^\(END\)$", re.IGNORECASE)
_PAGER_OF_KEYS = re.compile(r"^:$|\x1b\[7m[^\x1b\n]*\x1b\[[\d;]*m$")
_ERASE = "\x1b[K"
#: What asks for something that nobody else should see.
_SECRET = re.compile(
    r"pass[ -]?(?:word|phrase|code|wort)|passwd|kennwort|mot de passe|contrase|senha|wachtwoord"
    r"|\bpin\b|\botp\b|verification code|\bsecret\b|\btoken\b|api[ _-]?key|пароль|密码|パスワード",
    re.IGNORECASE,
)
#: How a question ends.
_QUESTION = re.compile(r"[:?>\uff1a\uff1f] *$")
#: What asks for something that everybody may see, whoever reads it.
_OPEN = re.compile(r"user ?name|\blogin\b|yes/no|\by/n\b|continue\b", re.IGNORECASE)
#: How a prompt of a program ends that does not read the terminal by itself.
_ENDING = re.compile(r"(?:[>$#%»\u276f?]|\[[yY]/[nN]\]:?) ?$")


def prompt_of(said: str) -> str:
    """Return the line that the cursor stands on, as a person reads it; empty for none.

    Args:
        said: The end of what the program wrote.
    """
    line = _FIRST_COLUMN.sub("\r", said.rpartition("\n")[2])
    line = _ESCAPE.sub("", line)
    shown = next((part for part in reversed(line.split("\r")) if part.strip()), "")
    return _CONTROL.sub("", shown)[-PROMPT_LIMIT:]


def is_secret(prompt: str) -> bool:
    """Whether it asks for a word that nobody else should see."""
    return _SECRET.search(prompt) is not None


def asks_for_secret(prompt: str) -> bool:
    """Whether it ends as a question for such a word does, where nothing else tells that it is."""
    return is_secret(prompt) and _QUESTION.search(prompt) is not None


def is_open(prompt: str) -> bool:
    """Whether it asks for a word that is no secret."""
    return _OPEN.search(prompt) is not None


def looks_like_prompt(prompt: str) -> bool:
    """Whether a program that ends its output so surely waits for a line."""
    return _ENDING.search(prompt) is not None or is_secret(prompt)


def edits_lines(said: str) -> bool:
    """Whether a line editor has the terminal: it asks for bracketed paste while it reads."""
    return _last(_PASTE, said) == "h" and _last(_OTHER_SCREEN, said) != "h"


def owns_screen(said: str) -> bool:
    """Whether keys are wanted, and not lines: a pager, an editor, a menu, a game."""
    if _last(_OTHER_SCREEN, said) == "h" or is_pager(said):
        return True
    if _PAGER_OF_KEYS.search(_last_line(said)):
        return True
    if edits_lines(said):
        return False
    keys = _last(_KEYPAD, said) == "=" or _last(_CURSOR, said) == "l"
    return keys or _PLACED.search(said) is not None


def is_pager(said: str) -> bool:
    """Whether a pager waits for a key."""
    return _PAGER.search(_last_line(said)) is not None


def _last_line(said: str) -> str:
    return said.rpartition("\n")[2].rpartition("\r")[2].replace(_ERASE, "")


def _last(mode: re.Pattern[str], said: str) -> str:
    last = ""
    for match in mode.finditer(said):
        last = match[1]
    return last
