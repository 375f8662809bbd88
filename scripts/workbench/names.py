"""The names of everything that the workbench makes, and nothing else touches."""

from __future__ import annotations

import os
from pathlib import Path

#: The checkout.
ROOT = Path(__file__).resolve().parents[2]

#: Where the steps write what the tools they run print.
LOGS = ROOT / "var" / "log"

#: What is dear to make again, such as the image's file tree.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ctrkernel"

#: The daemon that we started: its data, log and pid. A system folder, because a home folder may
#: lie on a file system that cannot carry overlay2.
ENGINE_HOME = Path(os.environ.get("CTRKERNEL_ENGINE_HOME") or "/var/lib/ctrkernel")

#: The engine's command line.
ENGINE = os.environ.get("CTRKERNEL_ENGINE") or "docker"

#: Carried by what `make demo` makes.
DEMO_LABEL = "ctrkernel.demo"

#: Carried by what the tests make.
TEST_LABEL = "ctrkernel.test"

#: On an image: the hash of the recipe that it was made from.
RECIPE_LABEL = "ctrkernel.recipe"

#: The image of the demo and of most tests, and the demo's container.
DEMO = "ctrkernel-demo"
