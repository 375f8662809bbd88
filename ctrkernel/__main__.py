"""``python -m ctrkernel``."""

from __future__ import annotations

import sys

from ctrkernel.cli import main

if __name__ == "__main__":
    sys.exit(main())
