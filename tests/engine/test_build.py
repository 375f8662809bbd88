"""What a failed build says to do, by what each builder says of its steps."""

from __future__ import annotations

import pytest

from ctrkernel.engine.build import _Progress

CLASSIC = ["Step 1/2 : FROM debian", "---> 5a1be698b6ca", "Step 2/2 : RUN make"]
PODMAN = ["STEP 1/2: FROM debian", "STEP 2/2: COPY a /"]
BUILDKIT = ["#5 [2/2] RUN make", "#5 ERROR: exit code: 2", "> [2/2] RUN make:", "> exit 2"]
STAGES = ["> [build 2/3] ADD a /:"]
BASE = ["#2 [internal] load metadata for x/y:1", "> [internal] load metadata for x/y:1:"]


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        (CLASSIC, "correct `RUN make` and run it again"),
        (PODMAN, "correct `COPY a /`, or the files that it names, and run it again"),
        (BUILDKIT, "correct `RUN make` and run it again"),
        (STAGES, "correct `ADD a /`, or the files that it names, and run it again"),
        (BASE, "check the base image's name, or see `docker pull x/y:1`"),
        (
            ["Step 1/2 : FROM --platform=linux/arm64 x/y AS z"],
            "check the base image's name, or see `docker pull x/y`",
        ),
        (["error: unknown instruction"], "correct what it names and run it again"),
    ],
)
def test_the_hint_is_for_the_step_that_failed(lines: list[str], hint: str) -> None:
    progress = _Progress()

    for line in lines:
        progress.take(line)

    assert progress.hint("docker") == hint
