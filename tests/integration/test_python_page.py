"""The page about Python: its examples run as they stand, one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.conftest import MakeContainer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def test_the_examples_run_as_they_stand(make_container: MakeContainer) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    code = "\n".join(blocks)
    assert len(blocks) >= 7
    assert code.count('"web"') == 1

    exec(compile(code.replace('"web"', repr(make_container())), str(PAGE), "exec"), {})
