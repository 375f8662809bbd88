"""``jupyter nbconvert --to script``: nbconvert finds this by the language's name, ``bash``.

Only nbconvert imports it, by the entry point in ``nbconvert.exporters.script``.
"""

from __future__ import annotations

import copy
from typing import Any

from nbconvert.exporters import Exporter, ScriptExporter
from traitlets import default

from ctrkernel.commands.script import Piece, script_of
from ctrkernel.kernel.spec import KERNEL_NAME

#: A line that only a notebook of ours begins a cell with.
_MAGIC = ("%ctr", "%%ctr")


class ShellScriptExporter(Exporter):  # type: ignore[misc]
    """Makes a shell script of a notebook of ours, and of another one what nbconvert would make."""

    output_mimetype = "text/x-sh"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".sh"

    def from_notebook_node(
        self, nb: Any, resources: Any = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the script, and what nbconvert writes it by."""
        if not _is_ours(nb):
            plain = copy.deepcopy(nb)
            # Without the language's name nobody is asked for it again.
            plain.metadata.language_info["name"] = ""
            exporter = ScriptExporter(config=self.config, parent=self)
            script, found = exporter.from_notebook_node(plain, resources, **options)
            return script, found
        notebook, found = super().from_notebook_node(nb, resources, **options)
        return script_of(map(_piece, notebook.cells)), found


def _is_ours(nb: Any) -> bool:
    name = str(nb.metadata.get("kernelspec", {}).get("name", ""))
    return name.startswith(KERNEL_NAME) or any(
        cell.cell_type == "code" and cell.source.lstrip().startswith(_MAGIC) for cell in nb.cells
    )


def _piece(cell: Any) -> Piece:
    return Piece(
        cell.source,
        code=cell.cell_type == "code",
        may_fail="raises-exception" in cell.metadata.get("tags", ()),
    )
