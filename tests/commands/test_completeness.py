"""A cell that is being typed: what of it a shell is not asked, and the next line's indent."""

from __future__ import annotations

import pytest

from ctrkernel.commands.completeness import completeness, next_indent
from ctrkernel.commands.workspace import Workspace
from ctrkernel.session.syntax import Verdict


@pytest.mark.parametrize(
    ("code", "verdict", "indent"),
    [
        ("%ctr_ps", Verdict.COMPLETE, None),
        ("%ctr_attach web\nls", Verdict.COMPLETE, None),
        ("%ctr_attach web\nfor x in a; do", Verdict.INCOMPLETE, "    "),
        ("%%ctr_write /etc/motd", Verdict.INCOMPLETE, ""),
        ("%%ctr_write /etc/motd\nif then", Verdict.INCOMPLETE, ""),
        ("%%ctr_write /etc/motd\nif then\n", Verdict.COMPLETE, None),
        ("%%ctr_ps", Verdict.COMPLETE, None),
        ("%%ctr", Verdict.INCOMPLETE, ""),
        ("%%ctr\n%ctr_ps", Verdict.COMPLETE, None),
    ],
)
def test_commands_are_told_from_shell(code: str, verdict: Verdict, indent: str | None) -> None:
    found = completeness(code, Workspace({}))

    assert (found.verdict, found.indent) == (verdict, indent)


@pytest.mark.parametrize(
    ("code", "indent"),
    [
        ("if true", ""),
        ("if true; then", "    "),
        ("if true\nthen", "    "),
        ("if true; then # because", "    "),
        ("if true; then\n    while x", "    "),
        ("if true; then\n    while x; do\n", "        "),
        ("if true; then\n    echo a\nelse", "    "),
        ("f() {", "    "),
        ("(", "    "),
        ("case $x in", "    "),
        ("case $x in\n    a)", "        "),
        ("case $x in\n    a)\n        echo\n        ;;", "    "),
        ("case $x in\n    a) echo;;", "    "),
        ("for x in $(ls)", ""),
        ("a |", "    "),
        ("a |\n    b |", "    "),
        ("{\n    a |\n        b", "    "),
        ("a \\", "    "),
        ("cat <<E", ""),
        ("if true; then\n    cat <<E\n      x", ""),
        ("if true; then\n    echo 'a", ""),
        ("if true; then\n\techo a", "\t"),
    ],
)
def test_the_next_line_is_indented_as_its_block(code: str, indent: str) -> None:
    assert next_indent(code) == indent
