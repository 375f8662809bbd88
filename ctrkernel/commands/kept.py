"""Which Python variables a command keeps its results in."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING

from ctrkernel.errors import UsageError, name_list, one_line
from ctrkernel.session.output import CAPTURE_LIMIT, whole_length

if TYPE_CHECKING:
    from ctrkernel.commands.context import Context


def check_variable(name: str) -> str:
    """Return `name` if a Python variable can be called that.

    Raises:
        UsageError: It cannot.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{one_line(name, limit=40)!r} is no name for a Python variable")
    return name


def check_kept(**options: str | None) -> None:
    """Check the variables that options name, such as ``out="text"``; None is none.

    Raises:
        UsageError: One is no name, or two options would overwrite each other.
    """
    taken: dict[str, str] = {}
    for option, name in options.items():
        if name is None:
            continue
        if check_variable(name) in taken:
            raise UsageError(
                f"--{taken[name]} and --{option} both name {name}; give each a variable of its own"
            )
        taken[name] = option


def keep_output(
    context: Context, option: str, name: str | None, output: str | dict[str, str]
) -> None:
    """Keep `output` in the variable `name`, if there is one, and tell if it is not all that came.

    Args:
        context: Has the variables.
        option: What named the variable, such as ``--out``.
        name: The variable; None for none.
        output: A text, or texts by container.
    """
    variables = context.frontend.variables
    if not name or variables is None:
        return
    variables[name] = output
    texts = output if isinstance(output, dict) else {"": output}
    cut = []
    for where, text in texts.items():
        if len(text) > CAPTURE_LIMIT and (length := whole_length(text)) > len(text):
            cut.append(f"{length:,} characters" + (f" in {where}" if where else ""))
    if cut:
        context.frontend.notice(
            f"{option} {name} has the first and the last {CAPTURE_LIMIT:,} of {name_list(cut)}; "
            f"for all of it write a file (COMMAND > FILE) and type %ctr_get FILE --var {name}"
        )
