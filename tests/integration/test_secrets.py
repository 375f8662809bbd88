"""Variables and secrets of shells: exact in every shell, kept for the next one, seen nowhere."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ctrkernel.commands import registry
from ctrkernel.commands.context import Context
from ctrkernel.commands.workspace import Workspace
from ctrkernel.container import Container, attach
from ctrkernel.engine.engine import find_engine
from ctrkernel.engine.transcript import TranscriptFolder
from ctrkernel.errors import SessionError, ShellBusy, ShellExited, UsageError
from ctrkernel.session.mask import DOTS, Secret
from tests.commands.recording import RecordingFrontend

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: How the container and the shell of each case are named.
PLACES = {
    "bash": ("debian", None),
    "dash": ("debian", "dash"),
    "zsh": ("debian", "zsh"),
    "ash": ("busybox", None),
    "no_stty": ("no_stty", None),
    "read_only": ("read_only", None),
}
#: What is hard to quote, to type and to keep.
HARD = '  it\'s "q" \\ $HOME `id` ünï * !x \t#  '
KEY = "-----BEGIN KEY-----\n" + "0123456789abcdef" * 40 + "\n\nshort last line\n-----END KEY-----"


@pytest.fixture(params=PLACES)
def box(request: pytest.FixtureRequest) -> Iterator[Container]:
    image, shell = PLACES[request.param]
    with attach(request.getfixturevalue(image), shell=shell) as container:
        yield container


@pytest.fixture
def bash(debian: str) -> Iterator[Container]:
    with attach(debian) as container:
        yield container


@pytest.fixture
def frontend() -> RecordingFrontend:
    return RecordingFrontend(variables={}, answers=("hunter22 x", "opensesame"))


@pytest.fixture
def context(debian: str, frontend: RecordingFrontend) -> Iterator[Context]:
    workspace = Workspace({**os.environ, "CTRKERNEL_TARGET": debian})
    yield Context(workspace, frontend)
    workspace.close()


def hold(box: Container, name: str, value: str) -> None:
    box.variables.keep_secret(box.session(), name, Secret(value))


def bytes_of(box: Container, name: str) -> bytes:
    """Return an exported value, past the mask: as octal numbers."""
    octal = box.run(f'printf %s "${name}" | od -An -v -to1').output
    return bytes(int(number, 8) for number in octal.split())


# Variables


@pytest.mark.parametrize(
    "value", ["", HARD, "a\nb\n\n", "x" * 50_000, "-n", "=", "\x01\x03\x04\x1b"]
)
def test_a_value_is_set_and_exported_as_it_is(box: Container, value: str) -> None:
    box.variables.change(box.session(), {"V": value, "W": "1"})

    assert bytes_of(box, "V") == value.encode()
    assert box.run("env | grep -c '^[VW]='").output.strip() == "2"


def test_nothing_of_it_shows(box: Container) -> None:
    box.run("f() { return 3; }; f")
    box.variables.change(box.session(), {"V": "1"})
    assert box.run('echo "$?"').output == "3\n"
    box.run("set -x")
    box.variables.change(box.session(), {"V": "2"})
    hold(box, "S", "hunter22")

    traced = box.run("echo on").output
    assert traced.endswith("echo on\non\n")
    assert "V" not in traced
    box.run("set +x; set -e; set -u")
    box.variables.change(box.session(), {"V": "3"})
    assert "\n__ctrk_a=" not in box.run("set").output
    assert box.run("set +e; history 2>/dev/null | grep -c hunter; echo $V").output.endswith("3\n")


def test_a_name_that_is_readonly_is_refused_and_the_others_stay(box: Container) -> None:
    box.run("readonly R=1")

    with pytest.raises(SessionError, match=r"^R cannot be set in session main"):
        box.variables.change(box.session(), {"A": "2", "R": "2"})
    with pytest.raises(SessionError, match=r"^R cannot be set in session main"):
        hold(box, "R", "hunter22")

    assert box.run('echo "${A-unset} $R"').output == "unset 1\n"


def test_new_shells_get_what_the_others_have(box: Container) -> None:
    box.variables.change(box.session(), {"A": HARD, "B": "1"})
    box.variables.change(box.session(), {"B": None})
    hold(box, "S", KEY)
    with pytest.raises(ShellExited):
        box.run("exit 3")

    assert bytes_of(box, "A") == HARD.encode()
    assert bytes_of(box, "S") == KEY.encode()
    assert box.session("other").run('echo "${B-unset} $S" | head -1').output == f"unset {DOTS}\n"
    box.fresh()
    assert bytes_of(box, "S") == KEY.encode()
    box.session().reopen()
    assert bytes_of(box, "S") == KEY.encode()


def test_a_busy_shell_is_told_of_and_nothing_is_typed_into_its_program(bash: Container) -> None:
    session = bash.session()
    execution = session.submit("cat", keep=True)

    with pytest.raises(ShellBusy):
        hold(bash, "S", "hunter22")
    with pytest.raises(ShellBusy):
        bash.variables.change(session, {"A": "1"})

    session.type(b"\x04")
    assert session.wait(execution).output == ""


# Secrets


@pytest.mark.parametrize("value", ["plain", HARD, KEY, "x" * 9_000, "•••• ünï " * 500, "four\n\n"])
def test_a_secret_arrives_as_it_is_and_is_never_shown(box: Container, value: str) -> None:
    hold(box, "S", value)

    assert bytes_of(box, "S") == value.encode()
    shown = box.run('printf "%s\\n" "$S"; set -x; : "$S"; set +x; export -p; set').output
    for line in value.splitlines():
        assert len(line) < 4 or line.strip() not in shown
    assert DOTS in shown


def test_a_secret_that_is_printed_in_pieces_is_hidden(box: Container) -> None:
    hold(box, "S", "hunter22")
    pieces: list[str] = []

    result = box.session().run(
        "for c in h u n t e r 2 2; do printf %s $c; sleep 0.02; done; echo", on_output=pieces.append
    )

    assert result.output == f"{DOTS}\n"
    assert "".join(pieces) == result.output


def test_a_secret_is_hidden_in_what_a_program_prints(box: Container) -> None:
    hold(box, "S", "hunter22")
    pieces: list[str] = []

    result = box.exec(
        ["sh", "-c", 'echo "$S"; echo "$S" >&2'],
        session_env="main",
        on_output=lambda _, text: pieces.append(text),
    )

    assert (result.stdout, result.stderr) == (f"{DOTS}\n", f"{DOTS}\n")
    assert sorted("".join(pieces)) == sorted(f"{DOTS}\n" * 2)


def test_a_secret_is_on_no_argv(bash: Container, debian: str) -> None:
    hold(bash, "S", "hunter22")
    bash.session("other")
    seen = []
    with ThreadPoolExecutor() as threads:
        running = threads.submit(bash.exec, ["sleep", "1"], session_env="main")
        typing = threads.submit(
            bash.variables.keep_secret, bash.session("other"), "T", Secret("opensesame")
        )
        while not (running.done() and typing.done()):
            seen.append(_arguments())
        running.result()
        typing.result()
    seen.append(bash.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").output)

    assert len(seen) > 1
    assert not any("hunter22" in each or "opensesame" in each or DOTS in each for each in seen)


def _arguments() -> str:
    # The container's processes are this machine's too.
    return subprocess.run(
        ["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("abc", "shorter than 4"),
        ("ab\ncd", "shorter than 4"),
        ("", "shorter than 4"),
        ("with\rreturn", "control characters"),
        ("with\x03key", "control characters"),
        ("y" * 200_000, "longer than"),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused_unseen(
    bash: Container, value: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        hold(bash, "S", value)

    assert len(value) < 3 or value not in str(caught.value)
    assert bash.run('echo "${S-unset}"').output == "unset\n"


# The commands


def run(name: str, line: str, context: Context) -> str:
    return registry.find(name).run(line, context).text


def test_env_sets_shows_lists_and_unsets(context: Context, frontend: RecordingFrontend) -> None:
    run("ctr_env", "A='x y' B=$HOME", context)

    assert run("ctr_env", "A", context) == "x y\n"
    assert run("ctr_env", "A B", context) == "A=x y\nB=$HOME\n"
    listed = registry.find("ctr_env").run("", context)
    assert ("A", "x y") in list(listed.value)  # type: ignore[call-overload]
    run("ctr_env", "--unset A", context)
    with pytest.raises(
        UsageError, match="A is not exported in session main; type %ctr_env A=VALUE"
    ):
        run("ctr_env", "A", context)
    assert frontend.streams == []


@pytest.mark.parametrize("line", ["1A=x", "A-B=x", "=x", "--unset A.B", "''"])
def test_env_refuses_what_is_no_name(context: Context, line: str) -> None:
    with pytest.raises(UsageError, match="is no name for a variable"):
        run("ctr_env", line, context)


def test_secret_asks_for_each_and_shows_none(context: Context, frontend: RecordingFrontend) -> None:
    said = run("ctr_secret", "ONE TWO", context)
    run("ctr", 'echo "$ONE" "$TWO"', context)

    assert frontend.questions == ["ONE: ", "TWO: "]
    assert said == "ONE, TWO set; the values are hidden in output\n"
    assert frontend.text == f"{DOTS} {DOTS}\n"
    assert run("ctr_env", "ONE", context) == f"{DOTS}\n"
    assert "hunter22" not in repr(registry.find("ctr_env").run("", context).value)


def test_secret_comes_from_the_environment_or_a_file(
    context: Context, frontend: RecordingFrontend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_TOKEN", "from-the-environment")
    (tmp_path / "key").write_text(KEY + "\n")

    run("ctr_secret", "A --from-env CI_TOKEN", context)
    run("ctr_secret", f"B --from-file {tmp_path / 'key'} --session other", context)
    run("ctr", 'echo "$A"', context)
    run("ctr", '--session other printf %s "$B" | wc -c', context)

    assert frontend.questions == []
    assert frontend.text.split() == [DOTS, str(len(KEY))]


def test_errors_and_notices_show_no_secret(context: Context, frontend: RecordingFrontend) -> None:
    run("ctr_secret", "S", context)

    with pytest.raises(UsageError, match=DOTS) as caught:
        run("ctr_env", "'hunter22 x'=1", context)
    assert "hunter22" not in repr(caught.value)


def test_a_new_shell_in_a_directory_that_is_called_so_does_not_tell(bash: Container) -> None:
    hold(bash, "S", "hunter22")
    bash.run('mkdir -p "/tmp/$S"; cd "/tmp/$S"')
    with pytest.raises(ShellExited):
        bash.run("exit 3")

    assert bash.ready()[1].startswith(f"new shell in /tmp/{DOTS}; the last one ended")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "NAME"),
        ("1A", "is no name for a variable"),
        ("A B --from-env C", "one value is for one name"),
        ("A --from-env C --from-file D", "two sources"),
        ("A --from-env CTRKERNEL_NO_SUCH", "not set in this process"),
        ("A --from-file /no/such", "No such file"),
        ("A B C", "--from-env VAR"),
    ],
)
def test_secret_refuses_wrong_words(context: Context, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        run("ctr_secret", line, context)

    assert "\n" not in str(caught.value)


def test_a_container_s_log_shows_no_secret(
    context: Context, frontend: RecordingFrontend, debian: str
) -> None:
    run("ctr_secret", "S", context)
    context.workspace.container().exec(
        ["sh", "-c", 'echo "[$S]" >/proc/1/fd/1'], session_env="main"
    )

    run("ctr_logs", f"{debian} --tail 1", context)

    assert frontend.text == f"[{DOTS}]\n"


@pytest.mark.parametrize("image", ["debian", "no_stty"])
def test_a_transcript_has_neither_a_secret_nor_our_statements(
    request: pytest.FixtureRequest, image: str, tmp_path: Path
) -> None:
    folder = TranscriptFolder(str(tmp_path))
    name = request.getfixturevalue(image)
    with Container(find_engine(os.environ), name, transcripts=folder) as container:
        hold(container, "S", "0123456789" * 100)
        container.run('echo "[$S]"')

    kept = "".join(path.read_text() for path in tmp_path.iterdir())
    assert f"[{DOTS}]" in kept
    assert "01234" not in kept
    assert "ready" not in kept
