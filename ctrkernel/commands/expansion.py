"""Python variables in a command's line, as ``{name}`` and ``$name``.

IPython's own expansion gives all of a line up at the first brace that it cannot evaluate, and
evaluates what a shell means by ``{a,b}`` and awk by ``{print}``. Here each place stands for itself,
and what does not name a variable of the person's is the shell's and stays as it is.
"""

from __future__ import annotations

import ast
import builtins
import os
import re
import warnings
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ctrkernel.errors import UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

#: A variable of the shell's or of Python's; ``$_`` and ``$1`` are always the shell's.
_DOLLAR = re.compile(r"\$(\$?)([A-Za-z]\w*)")


def expand(text: str, variables: Mapping[str, Any], *, dollars: bool = True) -> str:
    r"""Replace what names a Python variable by its value.

    ``{expression}`` is replaced where all of its names are known and one is the person's, except
    behind ``$`` or a backslash. ``$name`` is replaced outside of single quotes where the value is
    a string, a number or a path. ``{{name}}`` and ``$$name`` are the ways to keep them.

    Args:
        text: Shell code or a command's words.
        variables: Python's, by name.
        dollars: Whether ``$name`` is replaced too.

    Raises:
        UsageError: An expression of known names fails.
    """
    pieces: list[str] = []
    position = 0
    quote = ""
    while position < len(text):
        character = text[position]
        end, piece = position + 1, character
        if character == "\\" and quote != "'":
            end = position + 2
            piece = text[position:end]
        elif character in "'\"" and quote in ("", character):
            quote = "" if quote else character
        elif text.startswith("${", position):
            end = _closing(text, position + 1) or position + 2
            piece = text[position:end]
        elif character == "$" and dollars and quote != "'":
            end, piece = _dollar(text, position, variables)
        elif character == "{":
            end, piece = _braces(text, position, variables)
        pieces.append(piece)
        position = end
    return "".join(pieces)


def _dollar(text: str, position: int, variables: Mapping[str, Any]) -> tuple[int, str]:
    """Return where ``$name`` ends and what takes its place."""
    match = _DOLLAR.match(text, position)
    if match is None:
        return position + 1, "$"
    value = variables.get(match[2])
    if not isinstance(value, (str, int, float, os.PathLike)):
        return match.end(), match[0]
    return match.end(), f"${match[2]}" if match[1] else str(value)


def _braces(text: str, position: int, variables: Mapping[str, Any]) -> tuple[int, str]:
    """Return where ``{expression}`` or ``{{expression}}`` ends and what takes its place."""
    end = _closing(text, position)
    if end is None:
        return position + 1, "{"
    inner = text[position + 1 : end - 1]
    if inner.startswith("{") and inner.endswith("}"):
        kept = _is_expanded(inner[1:-1], variables)
        return (end, inner) if kept else (position + 2, "{{")
    code = _compiled(inner, variables)
    if code is None:
        return position + 1, "{"
    try:
        value = eval(code, dict(variables))  # noqa: S307 - the person's own expression
    except Exception as error:
        raise UsageError(
            f"{{{one_line(inner, limit=60)}}}: {type(error).__name__}: {one_line(str(error))}; "
            f"where the braces are the shell's, type {{{{{one_line(inner, limit=60)}}}}}"
        ) from error
    if isinstance(value, ModuleType) or callable(value):
        return position + 1, "{"
    return end, str(value)


def _is_expanded(inner: str, variables: Mapping[str, Any]) -> bool:
    return _compiled(inner, variables) is not None


def _compiled(inner: str, variables: Mapping[str, Any]) -> CodeType | None:
    """Compile an expression of the person's variables; None for anything else."""
    if not inner or inner != inner.strip():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(inner, mode="eval")
            code = compile(tree, "<expansion>", "eval")
    except (SyntaxError, ValueError, RecursionError):
        return None
    # What a shell reads as several words: {a,b}.
    if isinstance(tree.body, ast.Tuple):
        return None
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    loaded = {node.id for node in names} - stored
    known = loaded & variables.keys()
    return code if known and all(hasattr(builtins, name) for name in loaded - known) else None


def _closing(text: str, position: int) -> int | None:
    """Return the place behind the brace that closes the one at `position`, on the same line."""
    depth = 0
    for place in range(position, len(text)):
        match text[place]:
            case "\n":
                return None
            case "{":
                depth += 1
            case "}":
                depth -= 1
                if depth == 0:
                    return place + 1
    return None
