"""What a command leaves in Python: texts that are too long, and handles of what runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ctrkernel.commands.background import Backgrounds
from ctrkernel.errors import CommandFailed, ShellBusy
from tests.integration.command_bench import Bench
from tests.kernel.live_kernel import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds for what takes a moment.
SOON = 20.0
#: What prints twelve million characters.
LONG = "head -c 12000000 /dev/zero | tr '\\0' x"


@pytest.fixture
def variables() -> dict[str, object]:
    return {}


@pytest.fixture
def bench(debian: str, variables: dict[str, object]) -> Iterator[Bench]:
    bench = Bench(debian, variables=variables)
    yield bench
    bench.workspace.close()


@pytest.fixture
def two(make_container: Callable[..., str]) -> list[str]:
    return [make_container("busybox") for _ in range(2)]


@pytest.mark.parametrize("line", [f"ctr --out text {LONG}", f'ctr_exec --out text sh -c "{LONG}"'])
def test_a_text_that_is_cut_is_told_with_its_length(
    bench: Bench, variables: dict[str, object], line: str
) -> None:
    bench.run(line)

    (notice,) = bench.frontend.notices
    assert notice.startswith("--out text has the first and the last 4,194,304 of 12,000,000 char")
    assert notice.endswith("(COMMAND > FILE) and type %ctr_get FILE --var text")
    assert "characters left out" in str(variables["text"])


def test_a_text_that_is_whole_is_kept_without_a_word(
    bench: Bench, variables: dict[str, object]
) -> None:
    bench.run("ctr --out text echo short")

    assert (variables["text"], bench.frontend.notices) == ("short\n", [])


def test_a_background_fleet_is_waited_for_as_one_command_is(bench: Bench, two: list[str]) -> None:
    jobs = bench.run(f"ctr --bg --on {','.join(two)} echo begun; read -r x; exit_with 3").value

    assert isinstance(jobs, Backgrounds)
    assert list(jobs) == two
    assert repr(jobs).count("<running 'echo begun; read -r x") == 2
    with pytest.raises(TimeoutError, match=f"not ended in 0.05 s: {two[0]}, {two[1]}; wait"):
        jobs.wait(0.05)
    jobs.interrupt()
    results = jobs.wait(SOON)

    assert jobs.done
    assert [jobs.output[name].split() for name in two] == [["begun"], ["begun"]]
    assert [results[name].exit_code for name in two] == [130, 130]


def test_a_background_fleet_names_the_shell_that_ended(bench: Bench, two: list[str]) -> None:
    jobs = bench.run(f"ctr --bg --on {','.join(two)} exit 9").value

    assert isinstance(jobs, Backgrounds)
    with pytest.raises(CommandFailed, match=r"failed in 2 of 2: ") as caught:
        jobs.wait(SOON)

    assert all(f"{name} (exit status 9)" in str(caught.value) for name in two)


def test_a_background_fleet_that_cannot_start_everywhere_runs_nowhere(
    bench: Bench, two: list[str]
) -> None:
    busy = bench.run(f"ctr --bg --on {two[1]} read -r x").value

    with pytest.raises(ShellBusy):
        bench.run(f"ctr --bg --on {','.join(two)} echo begun; read -r x")

    first = bench.workspace.container(two[0]).sessions["main"]
    assert eventually(lambda: first.at_prompt, timeout=SOON)
    assert busy is not None
