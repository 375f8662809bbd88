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
    (Token.Comment, "mirror-editor-comment-color", "#408080"),
    (Token.Keyword, "mirror-editor-keyword-color", "#008000"),
    (Token.Name.Tag, "mirror-editor-tag-color", "#008000"),
    (Token.Name.Attribute, "mirror-editor-attribute-color", "#7d9029"),
    (Token.Name.Builtin, "mirror-editor-builtin-color", "#008000"),
    (Token.Name.Function, "mirror-editor-def-color", "#0000ff"),
    (Token.Name.Class, "mirror-editor-def-color", "#0000ff"),
    (Token.Name.Variable, "mirror-editor-variable-2-color", "#19177c"),
    (Token.Literal.String, "mirror-editor-string-color", "#ba2121"),
    (Token.Literal.Number, "mirror-editor-number-color", "#666666"),
    (Token.Operator, "mirror-editor-operator-color", "#aa22ff"),
    (Token.Generic.Inserted, "success-color1", "#1a7f37"),
    (Token.Generic.Deleted, "error-color1", "#cf222e"),
    (Token.Generic.Subheading, "mirror-editor-meta-color", "#8250df"),
    (Token.Generic.Heading, "mirror-editor-header-color", "#0550ae"),
)


def as_html(text: str, lexer: Language) -> str:
    """Return `text` as an HTML block; nothing in it is taken for HTML."""
    if len(text) > COLOUR_LIMIT:
        inner = html.escape(text)
    else:
        inner = "".join(_span(kind, value) for kind, value in lex(text, lexer))
    return f'<pre style="margin: 0; padding: 0; white-space: pre; overflow-x: auto;">{inner}</pre>'


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
            return f'<span style="color: var(--jp-{variable}, {colour})">{escaped}</span>'
    return escaped
