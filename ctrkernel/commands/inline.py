"""Files that a program shows in its output, as forms that a notebook has for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ctrkernel.errors import UsageError

if TYPE_CHECKING:
    from ctrkernel.commands.settings import Settings
    from ctrkernel.output.files import File
    from ctrkernel.session.mask import Mask

#: Lines, or rows of a table, that are shown.
LINES: Final = 1000
#: Hints of ``%ctr_show``, which has options; here there are settings.
_HINTS: Final = {
    "--trust shows the page": "%ctr_config trust=html shows the page",
    "; --lines N shows more": "; fetch it with %ctr_get",
}
#: Name's endings for what is said by a MIME type.
_ENDINGS: Final = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/markdown": "md",
    "text/x-markdown": "md",
    "application/json": "json",
    "text/html": "html",
    "image/svg+xml": "svg",
    "text/plain": "txt",
}


def rendered(settings: Settings, mask: Mask, file: File) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a file's forms by MIME type, and their metadata.

    Nothing of the content becomes HTML unless the person trusts it: ``%ctr_config trust=html``.
    Secrets, which its encoding hid from the mask of the shell's output, are taken out of text.
    """
    from ctrkernel.commands.filetype import LOOKED_AT, Form, type_of  # noqa: PLC0415 - seldom wanted
    from ctrkernel.commands.view import View  # noqa: PLC0415 - as above

    kind = type_of(_named(file), file.content[:LOOKED_AT])
    if mask and kind.form is not Form.IMAGE:
        file = _masked(file, mask)
    view = View(
        path=file.name or "file",
        type=kind,
        content=file.content,
        size=len(file.content),
        complete=True,
        lines=LINES,
        trust=_trusted(settings),
    )
    bundle = view.shown().bundle
    for form in ("text/plain", "text/html"):
        for hint, ours in _HINTS.items() if form in bundle else ():
            bundle[form] = bundle[form].replace(hint, ours)
    sides = (("width", file.width), ("height", file.height))
    size = {side: value for side, value in sides if value is not None}
    return bundle, {kind.mime: size} if size and kind.mime in bundle else {}


def _masked(file: File, mask: Mask) -> File:
    # Bytes that are no UTF-8 stay what they are.
    content = mask.hide(file.content.decode("utf-8", "surrogateescape"))
    return replace(
        file, name=mask.hide(file.name), content=content.encode("utf-8", "surrogateescape")
    )


def _named(file: File) -> str:
    """Return a name whose ending says what the file is said to be."""
    kind = file.kind.partition(";")[0].strip().lower()
    if not kind:
        return file.name
    return f"{file.name or 'file'}.{_ENDINGS.get(kind, kind.lstrip('.'))}"


def _trusted(settings: Settings) -> bool:
    try:
        return bool(settings["trust"] == "html")
    except UsageError:
        return False
