"""Runs many small programs in one process, plain and then armed; says which of them differ.

    python run_batch.py < programs.json

Each program is run with the real runtime and an empty store of its own. The answer is a JSON
object: ``differing`` are ``[number, plain, armed]`` of those that have ended plain without an
exception and differ armed, ``ended`` how many have ended so, ``healed`` the heals in all others.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import threading
import warnings

#: Of the programs that die plain one in so many runs armed, to show that healing is at work.
SOME = 15


def execute(code: object, name: str) -> tuple[str, str | None]:
    """What a program prints, and the exception that ended it.

    It runs in a thread, with no frame of ours below it that would handle its exceptions.
    """
    ends: list[str] = []
    threading.excepthook = lambda end: ends.append(end.exc_type.__name__)
    namespace = {"__name__": name, "__builtins__": __builtins__}
    thread = threading.Thread(target=exec, args=(code, namespace))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        thread.start()
        thread.join()
    return printed.getvalue(), ends[0] if ends else None


def main() -> None:
    """Compare all programs of standard input."""
    os.environ.update(CODESUTURE_BREAKER_FRAME="50", CODESUTURE_BREAKER_SITE="200")
    os.environ["CODESUTURE_STORE"] = os.path.join(tempfile.mkdtemp(), "store")
    from codesuture import session
    from codesuture.surgery.arming import arm

    warnings.simplefilter("ignore")
    began = session.configure(None, os.getcwd())
    differing, ended = [], 0
    for number, source in enumerate(json.load(sys.stdin)):
        name = f"program_{number}"
        code = compile(source, f"{name}.py", "exec")
        plain, error = execute(code, name)
        if error is not None and number % SOME:
            continue  # it may be healed; that is not asked here
        armed, armed_error = execute(arm(code), name)
        if error is not None:
            continue
        ended += 1
        if (armed, armed_error) != (plain, None):
            differing.append([number, plain, f"{armed}{armed_error}"])
    counts = {"ended": ended, "healed": began.healed}
    json.dump({"differing": differing, **counts}, sys.stdout)


if __name__ == "__main__":
    main()
