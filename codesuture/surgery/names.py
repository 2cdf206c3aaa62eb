"""What armed code and the process that it runs in know each other by.

A pad reaches the runtime, and the set of files that are armed, by names among ``builtins``. All
that an interpreter needs of this package when nothing is armed and nothing crashes.
"""

from __future__ import annotations

#: The names in ``builtins`` by which pads reach the runtime; the second one where a site keeps its
#: operands, which are arguments too.
RUNTIME = "__codesuture_recover__"
RUNTIME_KEPT = "__codesuture_recover_kept__"
#: What armed code has behind its own ``co_names``. Before its seal, ``co_consts`` has its qualified
#: name once more.
PAD_NAMES: tuple[str, ...] = ("__traceback__", "tb_next", RUNTIME, RUNTIME_KEPT)
#: The name of ``armed_files``, and what code whose pads are entered by exceptions of packages has
#: behind the names of all pads.
FILES = "__codesuture_files__"
REACHING_NAMES: tuple[str, ...] = (FILES, "tb_frame", "f_code", "co_filename")

#: How the seal of pads begins (``surgery.sealing``).
ARMED = b"codesuture.armed.3"

#: The files whose code is armed, as code objects name them. Pads look here first.
armed_files: set[str] = set()
