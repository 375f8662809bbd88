"""Write docs/commands.md from the commands' own parsers: ``python scripts/command_reference.py``.

argparse lays its help out in other ways from one Python to the next, so this reads the arguments
and not the help. A test compares the file with what comes out here.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ctrkernel.commands import registry
from ctrkernel.commands.command import Body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctrkernel.commands.command import Command

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"

_HEAD = """\
# Commands

<!-- Made by scripts/command_reference.py from the commands' parsers; edit those. -->

The same commands work in the kernel *Container Shell*, where a cell may begin with any number of
them, and in IPython, notebook or terminal, after `%load_ext ctrkernel`. `%NAME --help` shows a
command's page; in IPython so does `%NAME?`.

- Words are split as a shell splits them: quote what has spaces. Behind `--` nothing is an option.
- In IPython a line may name Python variables. `{expression}` is replaced if all of its names are
  known and at least one of them is a variable of yours, and `$name` if it is one with a string, a
  number or a path, outside of single quotes. Everything else is the shell's and stays as it is:
  `{a,b}`, `{1..3}`, `${HOME}`, `awk '{print $1}'`. `{{name}}` and `$$name` stand for `{name}` and
  `$name`. An expression that fails is an error. The body of a `%%` cell is never touched, except
  by `%%ctr --expand`, and there only in braces.
- In IPython a line that ends in `?`, as `%ctr ls a?`, asks IPython for help on its last word;
  type `%ctr ls 'a?'`.
- A command that gives a value (a table, a handle, a text) returns it: `rows = %ctr_sessions`.
  Where nobody takes it, it shows as `Out[n]` if it is the last of its cell, as any Python value
  does. What a program prints shows as it comes and is no value.
- An error is one line, and what was attached stays attached. Ctrl-C, or the notebook's stop
  button, interrupts the command in the container: first SIGINT, the second time SIGQUIT too, the
  third time SIGKILL; the shell stays.
- In IPython `%reload_ext ctrkernel` ends all shells and begins anew; `%unload_ext ctrkernel` ends
  them. So does IPython's end.
"""


def page() -> str:
    """Return the whole page."""
    commands = [registry.find(name) for name in sorted(registry.COMMANDS)]
    rows = [f"| [`%{each.name}`](#{each.name}) | {_first(each)} |" for each in commands]
    table = "\n".join(["| command | it does |", "|---|---|", *rows])
    return "\n".join([_HEAD, f"{table}\n", *(_section(command) for command in commands)])


def _section(command: Command) -> str:
    doc = " ".join((command.__doc__ or "").split())
    lines = [f"## {command.name}", "", doc, "", "```text", *_usages(command), "```", ""]
    rows = list(_rows(command))
    if rows:
        lines += ["| argument | meaning |", "|---|---|", *rows, ""]
    lines += ["| example | it does |", "|---|---|"]
    lines += [f"| `{_cell(line)}` | {_cell(what)} |" for line, what in command.examples]
    lines += [""]
    return "\n".join(lines)


def _usages(command: Command) -> Iterator[str]:
    words = [_usage(action) for action in _actions(command)]
    if command.body is not Body.MUST:
        yield " ".join([f"%{command.name}", *words])
    if command.body is not Body.NEVER:
        words = [word for word in words if word != "[CODE]"]
        yield " ".join([f"%%{command.name}", *words])


def _actions(command: Command) -> list[argparse.Action]:
    actions = command.parser()._actions  # noqa: SLF001 - argparse has no other way
    shown = [action for action in actions if action.dest != "help"]
    # Options first, as they are typed.
    return sorted(
        (action for action in shown if action.help != argparse.SUPPRESS),
        key=lambda action: not action.option_strings,
    )


def _usage(action: argparse.Action) -> str:
    value = _value(action)
    if not action.option_strings:
        return value
    name = action.option_strings[-1]
    word = f"{name} {value}" if value else name
    return word if action.required else f"[{word}]"


def _value(action: argparse.Action) -> str:
    """Return what stands for the argument's words."""
    if action.nargs == 0:
        return ""
    choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
    word = str(action.metavar or choices or action.dest.upper())
    match action.nargs:
        case "?":
            return f"[{word}]"
        case "*" | argparse.REMAINDER:
            return f"[{word}]" if "…" in word else f"[{word}…]"
        case "+":
            return word if "…" in word else f"{word}…"
        case _:
            return word


def _rows(command: Command) -> Iterator[str]:
    for action in _actions(command):
        value = _value(action)
        names = [f"{name} {value}".strip() for name in action.option_strings] or [value]
        shown = ", ".join(f"`{_cell(name)}`" for name in names)
        yield f"| {shown} | {_cell(_help(action))} |"


def _help(action: argparse.Action) -> str:
    """Return the help with argparse's ``%(default)s`` and its kin filled in."""
    values = {**vars(action), "prog": ""}
    return " ".join(
        ((action.help or "") % values if "%" in (action.help or "") else action.help or "").split()
    )


def _first(command: Command) -> str:
    return _cell((command.__doc__ or "").strip().splitlines()[0])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the page and say where."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
