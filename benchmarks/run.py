"""Measure ctrkernel against its floors, its ceilings and its peers, in one run.

Run it as ``python benchmarks/run.py --target CONTAINER``; ``--help`` lists the options.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import magics
from cells import cells
from client import BenchmarkError
from completion import completion
from files import files
from kernels import Kernels
from output import bulk, seq
from round_trip import round_trip
from startup import startup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from report import Section

#: Rounds of each measurement: an ordinary run, and with --quick.
ROUNDS = {
    "round-trip": (400, 60),
    "seq": (9, 3),
    "bulk": (3, 1),
    "startup": (9, 3),
    "cells": (5, 2),
    "load-ext": (21, 5),
    "magic-cell": (400, 60),
    "fan-out": (9, 3),
    "completion": (100, 20),
    "files": (5, 2),
}

PACKAGES = ("ctrkernel", "ipykernel", "jupyter_client", "pyzmq", "bash_kernel")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the measurements that were asked for and print them as they come.

    Returns:
        0; 1 where a measurement could not be made, or with --check where a target was missed.
    """
    options = _parser().parse_args(argv)
    if not options.target:
        print("benchmarks: no container; give --target NAME", file=sys.stderr)
        return 1
    document: dict[str, Any] = {"environment": _environment(), "sections": []}
    print(_heading(document["environment"]), flush=True)
    missed = failed = 0
    for row in options.only or ROUNDS:
        try:
            sections = _measure(row, options.target, quick=options.quick)
        except (BenchmarkError, subprocess.CalledProcessError) as error:
            print(f"benchmarks: {row}: {error}", file=sys.stderr)
            failed += 1
            continue
        for section in sections:
            print(f"\n{section.text()}", flush=True)
            document["sections"].append(section.document())
            missed += sum(not claim.met for claim in section.claims)
    load = document["environment"]["load after"] = os.getloadavg()[0]
    print(f"\n{missed} targets missed, {failed} rows failed; load after: {load:.1f}")
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return int(failed > 0 or (options.check and missed > 0))


def _measure(row: str, target: str, *, quick: bool) -> Sequence[Section]:
    rounds = ROUNDS[row][quick]
    if row == "files":
        return files(target, rounds=rounds)
    with tempfile.TemporaryDirectory(prefix="ctrkernel-bench-") as folder:
        running = Kernels(Path(folder))
        try:
            match row:
                case "round-trip":
                    return [round_trip(running, target, rounds=rounds)]
                case "completion":
                    return [completion(running, target, rounds=rounds)]
                case "seq":
                    return [seq(running, target, rounds=rounds)]
                case "bulk":
                    return [bulk(running, target, rounds=rounds)]
                case "startup":
                    return startup(running, target, rounds=rounds)
                case "load-ext":
                    return [magics.load_ext(Path(folder), rounds=rounds)]
                case "magic-cell":
                    return [magics.magic_cell(target, rounds=rounds)]
                case "fan-out":
                    return [magics.fan_out(target, rounds=rounds)]
                case _:
                    return cells(running, target, rounds=rounds)
        finally:
            running.close()


def _environment() -> dict[str, Any]:
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processors": os.cpu_count(),
        "load before": os.getloadavg()[0],
        "versions": versions,
    }


def _heading(environment: dict[str, Any]) -> str:
    versions = ", ".join(
        f"{package} {version or 'not installed'}"
        for package, version in environment["versions"].items()
    )
    return (
        f"Python {environment['python']}, {environment['processors']} processors, "
        f"load before: {environment['load before']:.1f}\n{versions}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--target",
        default=os.environ.get("CTRKERNEL_TARGET"),
        help="a running container with a shell, seq, yes, head and sha256sum "
        "(default: CTRKERNEL_TARGET)",
    )
    parser.add_argument(
        "--only", action="append", choices=list(ROUNDS), help="measure this; may be repeated"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all values here")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
