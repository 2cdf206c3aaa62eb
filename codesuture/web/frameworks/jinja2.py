"""Jinja: a template makes the traceback name its own lines, and raises the exception again.

Source: ``jinja2/environment.py`` of 3.1 (``Environment.handle_exception`` always raises).
"""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.web.frameworks.rules import passes

BOUNDARIES = tuple(
    Boundary("jinja2.environment", name, passes)
    for name in (
        "Template.render",
        "Template.render_async",
        "Template.generate",
        "Template.generate_async",
    )
)
