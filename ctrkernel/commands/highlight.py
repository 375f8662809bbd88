"""Text in colour: HTML that goes with a light and a dark notebook, and codes for a terminal."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final, TypeAlias

from pygments import lex
from pygments.formatters.terminal import TerminalFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename, guess_lexer
from pygments.lexers.special import TextLexer
from pygments.token import Token
from pygments.util import ClassNotFound

if TYPE_CHECKING:
    from pygments.lexer import Lexer

#: The lexer of a language, as pygments has it.
Language: TypeAlias = "Lexer"

#: Characters beyond which text is not coloured: some lexers take their time.
COLOUR_LIMIT: Final = 200_000
#: JupyterLab's own colour for each kind of word, which follows its theme, and one for elsewhere.
_COLOURS: Final = (
    (Token.Comment, "comment", "#408080"),
    (Token.Keyword, "keyword", "#008000"),
    (Token.Name.Tag, "tag", "#008000"),
    (Token.Name.Attribute, "attribute", "#7d9029"),
    (Token.Name.Builtin, "builtin", "#008000"),
    (Token.Name.Function, "def", "#0000ff"),
    (Token.Name.Class, "def", "#0000ff"),
    (Token.Name.Variable, "variable-2", "#19177c"),
    (Token.Literal.String, "string", "#ba2121"),
    (Token.Literal.Number, "number", "#666666"),
    (Token.Operator, "operator", "#aa22ff"),
    (Token.Generic.Inserted, "", "#1a7f37"),
    (Token.Generic.Deleted, "", "#cf222e"),
    (Token.Generic.Subheading, "meta", "#8250df"),
    (Token.Generic.Heading, "header", "#0550ae"),
)


def as_html(text: str, lexer: Language) -> str:
    """Return `text` as an HTML block; nothing in it is taken for HTML."""
    if len(text) > COLOUR_LIMIT:
        inner = html.escape(text)
    else:
        inner = "".join(_span(kind, value) for kind, value in lex(text, lexer))
    return f'<pre style="white-space: pre; overflow-x: auto;">{inner}</pre>'


def for_terminal(text: str, lexer: Language) -> str:
    """Return `text` with a terminal's codes for colours."""
    if len(text) > COLOUR_LIMIT or isinstance(lexer, TextLexer):
        return text
    formatter = TerminalFormatter()
    pieces: list[str] = []

    class _Sink:
        encoding = None

        def write(self, piece: str) -> None:
            pieces.append(piece)

    formatter.format(lex(text, lexer), _Sink())
    return "".join(pieces)


def lexer_for(path: str, text: str) -> Language:
    """Return the lexer for a file: by its name, else by a ``#!`` line, else plain text."""
    options = {"stripnl": False, "ensurenl": False}
    try:
        return get_lexer_for_filename(path, text[:COLOUR_LIMIT], **options)
    except ClassNotFound:
        pass
    if text.startswith("#!"):
        try:
            return guess_lexer(text[: text.find("\n") + 1] or text, **options)
        except ClassNotFound:
            pass
    return TextLexer(**options)


def lexer_named(name: str) -> Language:
    """Return the lexer of a language."""
    lexer: Language = get_lexer_by_name(name, stripnl=False, ensurenl=False)
    return lexer


def _span(kind: object, value: str) -> str:
    escaped = html.escape(value)
    for token, variable, colour in _COLOURS:
        if kind in token:
            if variable:
                colour = f"var(--jp-mirror-editor-{variable}-color, {colour})"  # noqa: PLW2901
            return f'<span style="color: {colour}">{escaped}</span>'
    return escaped
