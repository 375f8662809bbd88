"""What our own line could become a part of is recognised before it is run."""

from __future__ import annotations

import subprocess

import pytest

from ctrkernel.protocol.dialects.base import may_be_unfinished

UNFINISHED = [
    "ls |",
    "ls ||",
    "ls &&",
    "ls |&",
    "ls | ",
    "ls |\t\r",
    "ls |\n\n# comment\n  # another\n\n",
    "ls && # why",
    "ls |# why",
    "ls \\",
    "true\nls | \\",
    "echo 'a\n#b' |",
    "cat <<EOF",
    "cat <<EOF\ntext\n",
    "cat <<EOF\n EOF\n",
    "cat <<EOF\n\tEOF\n",
    "cat <<-EOF\n EOF\n",
    "cat <<EOF\nEOF \n",
    "cat <<EOF\nEOF\r\n",
    "EOF\ncat <<EOF\n",
    "cat << EOF\ntext",
    "cat <<'E O F'\nE O F ",
    'cat <<"EOF"\n',
    "cat <<\\EOF\n",
    "cat <<$x\n$\n",
    'cat <<E"O"F\nE\n',
    "cat <<EO\\\nF\nEO\n",
    "cat <<A; cat <<B\nA\n",
    "cat <<A <<B\nB\nA\n",
    "cat <<A\nA\ncat <<A\nb\n",
    "echo '<<A'\ncat <<B\nA\n",
    "cat <<A |\nA\n",
    "cat <<A &&\nA\n",
    "cat <<A \\\nA\n",
    "f()",
    "f ( )",
    "f()\n\n# comment\n",
    "f() # comment",
    "f() \\\n",
    "function f",
    "true; function f",
    "function f()",
    "for i",
    "for i in a b",
    "for i in a b;",
    "for i in a \\\n b",
    "for i\nin a b",
    "for ((;;))",
    "for ((i = 0; i < 3; i++)); ",
    "select x in a",
    "true && for i in 1",
    "{ for i in 1",
    # zsh alone reads on after these.
    "while true",
    "until false",
    "repeat 3",
    "foreach x (a b)",
    "if [[ a ]]",
    "{ true } always",
    "coproc",
]

#: Here-documents are not among these: the shell has a look at every one.
FINISHED = [
    "",
    "\n\n",
    "# comment",
    "#!/bin/sh\n# comment\n",
    "true",
    "true &",
    "true;",
    "cd /tmp && (ls | wc -l)",
    "ls |\nwc",
    "ls &&\n# comment\nwc",
    "ls \\\n -l",
    "echo 'a | b'",
    "echo a '|' # a comment",
    "echo a # a | comment",
    "x=$(date)",
    "cat <<<EOF",
    'grep x <<< "$y"',
    # Words that only look like keywords.
    "ls format",
    "echo before",
    "git diff-for x",
]

#: Whole programs; every beginning of one is code that somebody may run.
PROGRAMS = [
    "f() { echo a | cat && ls || true; }\nfor i in a b; do f $i; done\n",
    "f()\n{\n  echo a |\n    cat\n}\nfor i in a \\\n  b\ndo\n  f\ndone\n",
    "if true; then ls; elif false; then :; else :; fi\n",
    "while false; do :; done && until true\ndo :\ndone",
    "case x in a|b) ls ;; *) ( cd / && ls ) ;; esac\n{ ls; } > /dev/null\nx=$(ls | cat) y=`ls`\n",
    "! ls && ! ls || { ls & } ; ( ls ) | ( ls )\ntrue # end",
]
BASH_PROGRAMS = [
    "function f { ls; }\nfunction g() { ls; }\nfunction h\n{\n ls\n}\n",
    "for ((i=0; i<2; i++)); do :; done\n",
    "for ((;;)); { ls; }\nfor i\nin a b\n{ ls; }\nselect x in a; do break; done\ntime ls |& cat\n",
    "[[ a == b && c ]] || (( 1 + 2 ))\nx=(a b)\nx+=( c )\ncat <<< here\ncoproc cat\n",
]
CASES = [
    *((name, text) for name in ("bash", "dash", "ash", "zsh") for text in PROGRAMS),
    *(("bash", text) for text in BASH_PROGRAMS),
]


@pytest.mark.parametrize("code", UNFINISHED, ids=repr)
def test_code_that_reads_on_is_recognised(code: str) -> None:
    assert may_be_unfinished(code.encode())


@pytest.mark.parametrize("code", FINISHED, ids=repr)
def test_whole_code_is_not_parsed_twice(code: str) -> None:
    assert not may_be_unfinished(code.encode())


@pytest.mark.parametrize(("argv_of", "text"), CASES, indirect=["argv_of"])
def test_no_beginning_of_a_program_takes_our_line_in(argv_of: tuple[str, ...], text: str) -> None:
    cuts = [index for index in range(1, len(text)) if not text[index - 1 : index + 1].isalnum()]

    taken = [
        text[:cut]
        for cut in cuts
        if not may_be_unfinished(text[:cut].encode())
        and not parses(argv_of, text[:cut])
        and parses(argv_of, text[:cut] + "\n{ :; } >/dev/null 2>&1")
    ]

    assert taken == []


def parses(argv: tuple[str, ...], code: str) -> bool:
    done = subprocess.run(
        [*argv, "-n", "-c", code] if argv[0] != "busybox" else [*argv, "-nc", code],
        capture_output=True,
        timeout=10,
        check=False,
    )
    # bash goes on behind some errors, so the status alone does not tell.
    return done.returncode == 0 and not done.stderr
