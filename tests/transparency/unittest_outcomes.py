"""Runs one module's unittests, plain or with everything armed, and writes down each outcome.

    python unittest_outcomes.py plain|armed MODULE ANSWER.json

Armed, the standard library and the tests count as user code: every module that is loaded from then
on, from wherever. Pads call the real runtime, with a session whose store is temporary.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile

OWN = ("codesuture", "codesuture_agent")


def arm_everything() -> object:
    """Begin a session and arm all that is loaded from now on; returns the session."""
    os.environ["CODESUTURE_STORE"] = os.path.join(tempfile.mkdtemp(), "store")
    from codesuture import importhook, session

    began = session.configure(None, tempfile.gettempdir())
    del os.environ["CODESUTURE_STORE"]
    importhook.is_user_code = lambda module, filename, config: (
        module.partition(".")[0] not in OWN and not filename.startswith("<frozen")
    )
    importhook.install(began.config)
    return began


def main() -> None:
    """Run the tests of one module."""
    way, module, answer = sys.argv[1:4]
    sys.argv[1:] = []
    sys.path[0] = ""
    began = arm_everything() if way == "armed" else None
    import unittest

    from test import support

    support.use_resources = {}
    outcomes: dict[str, str] = {}

    def name_of(test: unittest.TestCase) -> str:
        return re.sub(r"\b0x[0-9a-f]+", "0x", test.id())  # subtests are told by a repr

    class Result(unittest.TestResult):
        def _note(self, test: unittest.TestCase, outcome: str) -> None:
            outcomes.setdefault(name_of(test), outcome)

        def addSuccess(self, test):  # type: ignore[no-untyped-def]
            self._note(test, "ok")

        def addError(self, test, error):  # type: ignore[no-untyped-def]
            self._note(test, f"error {error[0].__name__}")
            super().addError(test, error)

        def addFailure(self, test, error):  # type: ignore[no-untyped-def]
            self._note(test, "failure")
            super().addFailure(test, error)

        def addSkip(self, test, reason):  # type: ignore[no-untyped-def]
            self._note(test, "skipped")

        def addExpectedFailure(self, test, error):  # type: ignore[no-untyped-def]
            self._note(test, "expected failure")

        def addUnexpectedSuccess(self, test):  # type: ignore[no-untyped-def]
            self._note(test, "unexpected success")

        def addSubTest(self, test, subtest, error):  # type: ignore[no-untyped-def]
            if error is not None:
                outcomes[name_of(test)] = "failure in a part"
                super().addSubTest(test, subtest, error)

    result = Result()
    tests = unittest.defaultTestLoader.loadTestsFromName(module)
    tests.run(result)
    details = {name_of(test): text for test, text in result.errors + result.failures}
    healed = getattr(began, "healed", 0)
    with open(answer, "w", encoding="utf-8") as stream:
        json.dump({"outcomes": outcomes, "details": details, "healed": healed}, stream)


if __name__ == "__main__":
    main()
