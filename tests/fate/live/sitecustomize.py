"""Arms the script that is started and writes down what fate says at each of its crashes.

Stands for the agent and the runtime, and heals nothing: the program runs on as it would.
"""

from __future__ import annotations

import builtins
import importlib.util
import json
import os
import sys

from codesuture.surgery.names import RUNTIME

SCRIPT = os.path.abspath(sys.orig_argv[-1])
ANSWERS = os.environ["FATE_ANSWERS"]


def recover(exception, function):
    from codesuture.fate import fate

    frame = sys._getframe(1)
    traceback = exception.__traceback__
    verdict = fate(frame, traceback.tb_lasti, exception)
    answer = [traceback.tb_lineno, verdict.fate, verdict.evidence, type(exception).__name__]
    with open(ANSWERS, "a", encoding="utf-8") as stream:
        stream.write(json.dumps(answer) + "\n")


def load():
    from codesuture.surgery.arming import arm
    from codesuture.surgery.handlers import Handlers

    Handlers.match = lambda self, target: None  # no site is left out: fate is asked at each
    with open(SCRIPT, "rb") as stream:
        return arm(compile(stream.read(), SCRIPT, "exec", dont_inherit=True))


class Finder:
    def find_spec(self, name, target=None):
        if name != "__main__":
            return None
        sys.path_hooks.remove(hook)
        sys.path_importer_cache.pop(SCRIPT, None)
        sys.path[sys.path.index(SCRIPT)] = os.path.dirname(SCRIPT)
        spec = importlib.util.spec_from_loader(name, Loader(), origin=SCRIPT)
        spec.has_location = True
        return spec


class Loader:
    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(load(), module.__dict__)

    def get_code(self, name):
        return load()

    def is_package(self, name):
        return False

    def get_filename(self, name):
        return SCRIPT


def hook(path):
    if os.path.abspath(path) == SCRIPT:
        return Finder()
    raise ImportError(path)


setattr(builtins, RUNTIME, recover)
if os.path.isfile(SCRIPT):
    sys.path_hooks.insert(0, hook)
