"""Build hook: what an editable install needs beside the path to the checkout.

A wheel carries ``agent/`` under the name ``codesuture_agent`` and ``codesuture.pth`` in the root
of site-packages. An editable wheel carries no packages, only the path of the checkout, where no
folder is called ``codesuture_agent``; so this hook adds a one-file package of that name which
looks for its modules in the checkout's ``agent/``, and the same ``codesuture.pth``.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FORWARDING_PACKAGE = '''\
"""codesuture's agent, from the checkout (editable install)."""

__path__ = [{agent!r}]

try:
    from .boot import launch, start
except ModuleNotFoundError:
    import sys

    _told = False

    def start():
        global _told
        if not _told:  # a .pth line may run twice
            said = "[CodeSuture] not active: its checkout is gone from " + {root!r}
            sys.stderr.write(said + "\\n")
        _told = True

    launch = start
'''


class EditableAgent(BuildHookInterface[Any]):
    """Adds the agent and its ``.pth`` line to editable wheels; leaves all others alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before each build; ``version`` is "standard" or "editable"."""
        if version != "editable":
            return
        self._folder = tempfile.TemporaryDirectory(prefix="codesuture-editable-")
        agent = os.path.join(self.root, "agent")
        package = os.path.join(self._folder.name, "__init__.py")
        with open(package, "w", encoding="utf-8") as file:
            file.write(_FORWARDING_PACKAGE.format(agent=agent, root=self.root))
        build_data["force_include_editable"] = {
            package: "codesuture_agent/__init__.py",
            os.path.join(self.root, "codesuture.pth"): "codesuture.pth",
        }

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called by hatchling after each build."""
        if version == "editable":
            self._folder.cleanup()
