"""Which Python variables a command keeps its results in."""

from __future__ import annotations

import keyword

from ctrkernel.errors import UsageError, one_line


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
