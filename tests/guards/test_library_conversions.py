"""Conversions and files that the standard library handles in Python.

Their exceptions come out of the library's own frames, which landing pads let pass. The guards
know them all the same, for crashes that are found in another way.
"""

from __future__ import annotations

import pytest

from codesuture.diagnosis.crash import Crash
from codesuture.guards.registry import recognise
from codesuture.surgery.landing import Landing


def crash_of(source):
    code = compile(source, "crashing.py", "exec")
    with pytest.raises(Exception) as caught:
        exec(code, {"__name__": "crashing"})
    trace = caught.value.__traceback__.tb_next
    return Crash(caught.value, trace.tb_frame, code, Landing(code).site_at(trace.tb_lasti))


@pytest.mark.parametrize(
    ("source", "guard", "value"),
    [
        ("from fractions import Fraction\nFraction('x')", "type_coercion_guard", 'Fraction("0")'),
        ("import uuid\nuuid.UUID('x')", "type_coercion_guard", "None"),
        ("import ipaddress\nipaddress.ip_address('x')", "type_coercion_guard", "None"),
        ("import time\ntime.strptime('x', '%Y')", "type_coercion_guard", "None"),
        (
            "from datetime import datetime\ndatetime.strptime('x', '%Y')",
            "type_coercion_guard",
            "None",
        ),
        (
            "from pathlib import Path\np = Path('/none/x')\np.read_text()",
            "file_guard",
            '""',
        ),
        ("from pathlib import Path\nPath('/none/x').read_bytes()", "file_guard", 'b""'),
        ("from pathlib import Path\nPath('/none/x').open()", "file_guard", "an empty text file"),
        (
            "from pathlib import Path\np = Path('/none/x')\np.open('rb')",
            "file_guard",
            "an empty binary file",
        ),
    ],
)
def test_known(source, guard, value):
    crash = crash_of(source)
    found = recognise(crash, {})
    assert found is not None
    assert found.name == guard
    assert found.default(crash).describe() == value


@pytest.mark.parametrize(
    "source",
    [
        "from pathlib import Path\nPath('/none/x').open('w')",
        "from pathlib import Path\nPath('/none/x').write_text('a')",
        "from pathlib import Path\nPath('/none/x').stat()",
        "import shutil\nshutil.copy('/none/x', '/none/y')",
        "class Zip:\n def open(self, name): raise FileNotFoundError(name)\nZip().open('x')",
    ],
)
def test_left_alone(source):
    assert recognise(crash_of(source), {}) is None
