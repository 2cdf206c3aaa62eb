"""`python -m codesuture` equals `codesuture`."""

from __future__ import annotations

import sys

from codesuture.cli import main

if __name__ == "__main__":
    sys.exit(main())
