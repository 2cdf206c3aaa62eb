"""Calls every function of the corpus' modules in this folder; prints what each gave as JSON.

`crash` calls them as they crash, without an `except` anywhere; `fixed` likewise, with one; `good`
as they do not crash.
"""

import glob
import importlib
import json
import sys

import corpus_support


def call(module, title, arguments):
    corpus_support.log.clear()
    space = vars(corpus_support) | vars(module)
    values = eval(f"({arguments},)", dict(space))
    given = getattr(module, title)(*values)
    return [repr(given), list(corpus_support.log)]


def fixed(*arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return [f"{type(error).__name__}: {error}", []]


found = {}
for path in sorted(glob.glob("corpus_[0-9]*.py")):
    name = path.removesuffix(".py")
    module = importlib.import_module(name)
    for title, _, _, crash, good in module.CASES:
        for arguments in good if sys.argv[1] == "good" else [crash]:
            how = fixed if sys.argv[1] == "fixed" else call
            found[f"{name}:{title}({arguments})"] = how(module, title, arguments)
print(json.dumps(found))
