"""The decision table, on its own: where sources land, and what is said where they cannot."""

from __future__ import annotations

import pytest

from ctrkernel.errors import TransferError
from ctrkernel.transfer.placement import Destination, Found, Placement, Source, place

FILE = Source(shown="a.txt", found=Found.FILE, name="a.txt")
LINK = Source(shown="l", found=Found.LINK, name="l")
FOLDER = Source(shown="src", found=Found.FOLDER, name="src")
CONTENTS = Source(shown="src/.", found=Found.FOLDER, name="src", contents=True)


def to(found: Found, path: str = "/srv/x", **options: object) -> Destination:
    shown = path + ("/" if options.get("asserts_folder") else "")
    fields: dict[str, object] = {"asserts_folder": False, "where": "web:", **options}
    return Destination(shown=shown, found=found, path=path, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("slash", [False, True])
@pytest.mark.parametrize(
    ("source", "name"), [(FILE, "a.txt"), (LINK, "l"), (FOLDER, "src"), (CONTENTS, None)]
)
def test_into_an_existing_folder(source: Source, name: str | None, slash: bool) -> None:
    placement = place([source], to(Found.FOLDER, asserts_folder=slash))

    assert placement == Placement(folder="/srv/x", names=(name,))
    assert placement.result == ("/srv/x" if name is None else f"/srv/x/{name}")


@pytest.mark.parametrize("source", [FILE, LINK, FOLDER, CONTENTS])
def test_a_new_name_is_taken(source: Source) -> None:
    assert place([source], to(Found.MISSING)) == Placement(folder="/srv", names=("x",))


def test_a_file_replaces_a_file() -> None:
    assert place([FILE], to(Found.FILE)) == Placement(folder="/srv", names=("x",))


def test_a_name_in_the_root() -> None:
    assert place([FILE], to(Found.MISSING, "/x")) == Placement(folder="/", names=("x",))


@pytest.mark.parametrize("source", [FOLDER, CONTENTS])
def test_a_folder_becomes_a_new_folder_with_a_slash(source: Source) -> None:
    placement = place([source], to(Found.MISSING, asserts_folder=True))

    assert placement == Placement(folder="/srv", names=("x",))


def test_several_go_into_an_existing_folder() -> None:
    placement = place([FILE, FOLDER, CONTENTS], to(Found.FOLDER))

    assert placement == Placement(folder="/srv/x", names=("a.txt", "src", None))
    assert placement.result == "/srv/x"


@pytest.mark.parametrize(
    ("sources", "destination", "said"),
    [
        ([FILE], to(Found.MISSING, asserts_folder=True), "no folder web:/srv/x; .*mkdir -p /srv/x"),
        ([FILE], to(Found.FILE, asserts_folder=True), "web:/srv/x/ is a file, not a folder"),
        ([FOLDER], to(Found.FILE), "src is a folder and web:/srv/x is a file"),
        ([CONTENTS], to(Found.FILE), r"src/\. is a folder and web:/srv/x is a file"),
        ([FILE], to(Found.OTHER), "is a device or a pipe"),
        ([FOLDER], to(Found.OTHER), "is a device or a pipe"),
        ([FILE, FOLDER], to(Found.MISSING), "no folder web:/srv/x; .*mkdir -p /srv/x"),
        ([FILE, FOLDER], to(Found.FILE), "is no folder, and 2 sources need one"),
        ([FILE, FILE], to(Found.FOLDER), r"would both become a\.txt"),
        (
            [FILE],
            to(Found.MISSING, "/no/x y/z", missing="/no"),
            "no folder web:/no; add --parents, or make it in a cell: mkdir -p '/no/x y'",
        ),
        (
            [FILE],
            to(Found.MISSING, "/no/x/z", missing="/no", where=""),
            "no folder /no; add --parents, or make it in a terminal: mkdir -p /no/x",
        ),
        (
            [FILE],
            to(Found.MISSING, "/f/z", missing="/f", blocked=True),
            "web:/f is a file, so nothing can lie in it",
        ),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    sources: list[Source], destination: Destination, said: str
) -> None:
    with pytest.raises(TransferError, match=said) as caught:
        place(sources, destination)

    assert "\n" not in str(caught.value)


def test_a_name_with_newlines_stays_on_one_line() -> None:
    odd = Source(shown="a\nb", found=Found.FOLDER, name="a\nb")

    with pytest.raises(TransferError) as caught:
        place([odd], to(Found.FILE, "/x\ny"))

    assert "\n" not in str(caught.value)
