"""The agent of a source checkout that is not installed, where it is a folder named `agent`.

Imports next to nothing: it runs in the program's own process.
"""

from __future__ import annotations

import os
import sys

AGENT = "codesuture_agent"
FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "agent")


def launch() -> None:
    """Import the agent under the name that it is installed by, and have it run the program.

    Raises ImportError where there is no agent in the checkout either.
    """
    if AGENT not in sys.modules:
        from importlib.util import module_from_spec, spec_from_file_location

        spec = spec_from_file_location(AGENT, os.path.join(FOLDER, "__init__.py"))
        if spec is None or spec.loader is None:
            raise ImportError(f"there is no agent in {FOLDER}")
        module = sys.modules[AGENT] = module_from_spec(spec)
        spec.loader.exec_module(module)
    sys.modules[AGENT].launch()
