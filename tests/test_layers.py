"""The house (docs/architecture.md): arrows go down, every foreign library has its owner."""

from __future__ import annotations

import ast
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]

#: Each part's floor. A part is a folder or a module directly below ``ctrkernel``; ``__init__`` is
#: the front door for Python, which may open any room and which no room may look out of.
FLOORS = {
    "__init__": 8,
    "__main__": 7,
    "cli": 7,
    "kernel": 6,
    "magics": 6,
    "commands": 5,
    "container": 4,
    "launch": 4,
    "session": 3,
    "transfer": 3,
    "engine": 2,
    "output": 1,
    "protocol": 1,
    "errors": 0,
}

#: The arrows that stay on their floor.
LEVEL_ARROWS = {("__main__", "cli"), ("launch", "container")}

#: Who may import what is not everybody's. A name that ends in ``/`` is a folder.
OWNERS = {
    "IPython": ["magics/"],
    "docker": ["engine/"],
    "ipykernel": ["kernel/"],
    "jupyter_client": ["kernel/"],
    "jupyter_core": ["kernel/"],
    "pexpect": ["session/transport.py"],
    "prompt_toolkit": ["session/line_editor.py"],
    "ptyprocess": ["session/transport.py"],
    "pandas": ["commands/variables.py"],
    "nbconvert": ["kernel/export.py"],
    "pygments": ["commands/highlight.py", "commands/lexer.py"],
    "pyte": ["output/colour.py", "output/screen.py"],
    "subprocess": ["engine/", "transfer/"],
    "tornado": ["kernel/"],
    "tqdm": ["magics/"],
    "traitlets": ["kernel/"],
    "zmq": ["kernel/"],
}

#: What does I/O, waits or asks the machine, and so has no place in ``protocol/``.
IMPURE = {
    "asyncio",
    "fcntl",
    "multiprocessing",
    "os",
    "pexpect",
    "pty",
    "select",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "tempfile",
    "termios",
    "threading",
    "time",
}

#: What ``output/`` needs of it: pictures come at their pace, whoever prints.
KEEPS_TIME = {"threading", "time"}

MODULES = sorted(
    PurePosixPath(path.relative_to(ROOT / "ctrkernel").as_posix())
    for path in (ROOT / "ctrkernel").rglob("*.py")
)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_what_its_place_allows(module: PurePosixPath) -> None:
    source = (ROOT / "ctrkernel" / module).read_text()

    assert list(violations(module, source)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("engine/cli.py", "import ctrkernel.session.transport"),
        ("engine/cli.py", "from ctrkernel.kernel import app"),
        ("engine/cli.py", "from ctrkernel import session"),
        ("engine/cli.py", "from ctrkernel import attach"),
        ("engine/cli.py", "from ..session import transport"),
        ("engine/cli.py", "from .. import session"),
        ("engine/cli.py", "import ctrkernel"),
        ("engine/__init__.py", "from ..session import transport"),
        ("engine/cli.py", "def late():\n    from ctrkernel import commands"),
        ("engine/cli.py", "if TYPE_CHECKING:\n    from ctrkernel.session import result"),
        ("session/shell.py", "from ctrkernel.transfer import put"),
        ("transfer/put.py", "from ctrkernel.session import shell"),
        ("kernel/app.py", "from ctrkernel.magics import put"),
        ("magics/put.py", "from ctrkernel.kernel import app"),
        ("cli.py", "from ctrkernel import __main__"),
        ("session/shell.py", "import pexpect"),
        ("session/shell.py", "import subprocess"),
        ("kernel/app.py", "from IPython.core import magic"),
        ("magics/put.py", "import zmq.asyncio"),
        ("commands/put.py", "import traitlets"),
        ("commands/put.py", "import unheard_of"),
        ("protocol/stream.py", "import os.path"),
        ("protocol/stream.py", "from time import monotonic"),
        ("errors.py", "import ctrkernel.session.result"),
        ("unplaced.py", "import re"),
    ],
)
def test_the_walk_sees_an_import_that_is_out_of_place(module: str, source: str) -> None:
    assert len(list(violations(PurePosixPath(module), source))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("kernel/app.py", "import ctrkernel.protocol.stream"),
        ("kernel/app.py", "from . import output"),
        ("kernel/app.py", "from .output import Stream"),
        ("kernel/app.py", "from ctrkernel.kernel.output import Stream"),
        ("kernel/app.py", "from ctrkernel import errors, commands"),
        ("session/transport.py", "import pexpect"),
        ("engine/reaper.py", "import subprocess"),
        ("magics/put.py", "from IPython.core import magic"),
        ("__main__.py", "from ctrkernel.cli import main"),
        ("__init__.py", "def load_ipython_extension(shell):\n    from ctrkernel import magics"),
        ("errors.py", "if TYPE_CHECKING:\n    from ctrkernel.session.result import CommandResult"),
        ("protocol/tree.py", "import io, tarfile"),
    ],
)
def test_the_walk_lets_an_import_pass_that_goes_down(module: str, source: str) -> None:
    assert list(violations(PurePosixPath(module), source)) == []


def violations(module: PurePosixPath, source: str) -> Iterator[str]:
    """Yield one line for each import of a module that its place does not allow.

    Args:
        module: The module's path below ``ctrkernel``.
        source: Its text.
    """
    here = module.parts[0].removesuffix(".py")
    if here not in FLOORS:
        yield f"{module} has no floor: name {here} in FLOORS"
        return
    for line, name in imported_names(module, source):
        reason = _reason(module, here, name)
        if reason:
            yield f"{module}:{line}: {name}: {reason}"


def imported_names(module: PurePosixPath, source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the absolute name of all that a module imports, at any depth.

    Only ``errors.py`` has its ``if TYPE_CHECKING`` left out: its types are of floors above.
    """
    package = ("ctrkernel", *module.parts[:-1])
    pending: list[ast.AST] = [ast.parse(source)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*start, *([node.module] if node.module else [])])
            # Below `ctrkernel` alone the imported name is itself a part.
            if origin == "ctrkernel":
                yield from ((node.lineno, f"ctrkernel.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, origin
        elif not (module.name == "errors.py" and _is_type_checking(node)):
            pending.extend(ast.iter_child_nodes(node))


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _reason(module: PurePosixPath, here: str, name: str) -> str | None:
    top, _, rest = name.partition(".")
    if here == "protocol" and top in IMPURE:
        return "protocol/ is pure"
    if here == "output" and top in IMPURE - KEEPS_TIME:
        return "output/ does no I/O"
    if top == "ctrkernel":
        return _arrow(here, rest.partition(".")[0] or "__init__")
    if top in OWNERS:
        owned = any(
            str(module).startswith(owner) if owner.endswith("/") else str(module) == owner
            for owner in OWNERS[top]
        )
        return None if owned else f"only {', '.join(OWNERS[top])} may import it"
    if top not in sys.stdlib_module_names:
        return "a foreign library without an owner: name it in OWNERS"
    return None


def _arrow(here: str, there: str) -> str | None:
    if there not in FLOORS:
        return "not a part of ctrkernel: name it in FLOORS"
    if here == there or (here, there) in LEVEL_ARROWS or FLOORS[there] < FLOORS[here]:
        return None
    return f"from floor {FLOORS[here]} to floor {FLOORS[there]}"
