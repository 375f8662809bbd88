"""The numbers behind a container's user, as the engine reads it."""

from __future__ import annotations

import pytest

from ctrkernel.errors import TransferError, UsageError
from ctrkernel.transfer.options import options_from
from ctrkernel.transfer.owner import local_owner, needs_user_files, owner_of

PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nbroken\nbad:x:y:z:\n"
GROUP = "root:x:0:\nstaff:x:50:app\n12:x:99:\n"


@pytest.mark.parametrize(
    ("user", "owner"),
    [
        ("", (0, 0)),
        ("app", (1000, 1001)),
        ("1000", (1000, 1001)),
        ("4711", (4711, 0)),
        ("app:staff", (1000, 50)),
        ("app:7", (1000, 7)),
        ("4711:staff", (4711, 50)),
        ("1:2", (1, 2)),
    ],
)
def test_a_user_is_its_numbers(user: str, owner: tuple[int, int]) -> None:
    assert owner_of(user, passwd=PASSWD, group=GROUP) == owner


@pytest.mark.parametrize("user", ["nobody", "bad", "app:none"])
def test_an_unknown_name_is_said(user: str) -> None:
    with pytest.raises(TransferError, match="the container knows no"):
        owner_of(user, passwd=PASSWD, group=GROUP)


@pytest.mark.parametrize(
    ("user", "needed"), [("", False), ("1:2", False), ("1", True), ("app", True), ("1:g", True)]
)
def test_files_are_asked_for_only_where_needed(user: str, needed: bool) -> None:
    assert needs_user_files(user) is needed


@pytest.mark.parametrize(
    "user", ["4294967295", "0:4294967296", "99999999999999999999", "0:" + "9" * 5000]
)
def test_a_number_that_would_become_another_is_refused(user: str) -> None:
    with pytest.raises(TransferError, match="is no number of a user"):
        owner_of(user, passwd=PASSWD, group=GROUP)
    with pytest.raises(TransferError, match="is no number of a user"):
        local_owner(user)


@pytest.mark.parametrize("user", [":", ":staff"])
def test_a_group_alone_is_no_owner(user: str) -> None:
    with pytest.raises(TransferError, match="names no user"):
        owner_of(user, passwd=PASSWD, group=GROUP)
    with pytest.raises(TransferError, match="names no user"):
        local_owner(user)


def test_digits_of_other_scripts_are_names() -> None:
    with pytest.raises(TransferError, match="knows no user"):
        owner_of("²", passwd=PASSWD, group=GROUP)
    with pytest.raises(TransferError, match="knows no"):
        local_owner("1:²")


def test_two_owners_are_refused() -> None:
    with pytest.raises(UsageError, match="leave out --archive or --owner"):
        options_from(mode=None, archive=True, owner="root")
