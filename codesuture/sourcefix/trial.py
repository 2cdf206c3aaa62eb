"""The incident's expression, run again in a process of its own: as it was, and as it would be.

Only the expression (or statement) itself runs. Its operands are replaced by samples of the kind
that crashed, and of the kind that does not; each counts how often it is evaluated. Nothing of the
program is imported. Names that the operation needs (``int``, ``Decimal``) must be builtins or come
from a few modules of the standard library, as the file imports them.
"""

from __future__ import annotations

import json
import subprocess
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.sourcefix.operands import Operand
    from codesuture.sourcefix.shapes import Samples

SECONDS = 20
_OUTCOMES = ("passed", "failed", "not run")


class Trial:
    """Two bodies of a function, and what to run them with."""

    def __init__(
        self,
        original: str,
        changed: str,
        operands: list[Operand],
        samples: Samples,
        exception: str,
    ) -> None:
        self.original = original
        self.changed = changed
        self.operands = [operand.text for operand in operands]
        self.repeatable = [operand.is_plain for operand in operands]
        self.samples = samples
        self.exception = exception
        self.header = ""

    def to_json(self) -> dict[str, object]:
        """What the process is told."""
        return {
            "original": self.original,
            "changed": self.changed,
            "operands": self.operands,
            "repeatable": self.repeatable,
            "crash": self.samples.crash,
            "good": self.samples.good,
            "expected": self.samples.expected,
            "exception": self.exception,
            "header": self.header,
        }


class Outcome:
    """``state`` is "passed", "failed" or "not run"; ``sentence`` says what was seen."""

    def __init__(self, state: str, sentence: str) -> None:
        self.state = state
        self.sentence = sentence


def run(trials: list[Trial]) -> list[Outcome]:
    """Run them all in one fresh process, isolated from the environment and the working folder."""
    if not trials:
        return []
    said = ""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            input=json.dumps([trial.to_json() for trial in trials]),
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
        said = done.stdout
        found = [Outcome(str(state), str(text)) for state, text in json.loads(said)]
    except (OSError, ValueError, subprocess.SubprocessError):
        found = []
    if len(found) != len(trials) or any(one.state not in _OUTCOMES for one in found):
        return [Outcome("not run", "The process for the trial did not answer.")] * len(trials)
    return found


def header_of(source: str) -> str:
    """The imports of a file that a trial may need: names of harmless modules, nothing else."""
    import ast

    lines = []
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    for statement in body:
        if isinstance(statement, ast.Import):
            statement.names = [alias for alias in statement.names if alias.name in HARMLESS]
            if statement.names:
                lines.append(ast.unparse(statement))
        elif isinstance(statement, ast.ImportFrom) and statement.module in HARMLESS:
            lines.append(ast.unparse(statement))
    return "\n".join(lines)


#: Modules whose functions a trial may call: they compute, and touch nothing outside.
HARMLESS = frozenset({
    "array", "binascii", "bisect", "collections", "contextlib", "datetime", "decimal", "fractions",
    "functools", "heapq", "io", "ipaddress", "itertools", "math", "operator", "pathlib", "re",
    "statistics", "string", "time", "unicodedata", "uuid",
})  # fmt: skip

_PROGRAM = r"""
import ast, builtins, json, re, sys

SAFE = {name: value for name, value in vars(builtins).items() if name not in (
    "open", "exec", "eval", "compile", "input", "breakpoint", "__import__", "exit", "quit",
    "print", "help")}

class Probes(ast.NodeTransformer):
    def __init__(self, texts):
        self.wanted = {}
        for number, text in enumerate(texts):
            try:
                self.wanted.setdefault(ast.dump(ast.parse(text.strip(), mode="eval").body), number)
            except SyntaxError:
                pass
    def generic_visit(self, node):
        if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            number = self.wanted.get(ast.dump(node))
            if number is not None and not isinstance(node, (ast.Constant, ast.Name)):
                call = ast.Call(ast.Name("__probe__", ast.Load()), [ast.Constant(number)], [])
                return ast.copy_location(call, node)
        return super().generic_visit(node)

def function(body, texts, names):
    module = ast.parse("def run(%s):\n pass" % ", ".join(names))
    inner = ast.parse("def f():\n" + "\n".join(" " + line for line in body.split("\n")))
    tops = inner.body[0].body
    probes = Probes(texts)
    made = []
    for node in tops:
        if isinstance(node, ast.FunctionDef):
            made.append(node)
        else:
            made.append(probes.visit(node))
    is_async = any(isinstance(node, ast.Await) for top in made for node in ast.walk(top))
    kind = ast.AsyncFunctionDef if is_async else ast.FunctionDef
    run = kind("run", module.body[0].args, made, [], None)
    if "type_params" in ast.FunctionDef._fields:
        run.type_params = []
    tree = ast.Module([run], [])
    ast.fix_missing_locations(tree)
    return compile(tree, "<trial>", "exec"), is_async

class Awaited:
    def __init__(self, value): self.value = value
    def __await__(self):
        return self.value
        yield

def build(text):
    return eval(text, {"Awaited": Awaited, "__import__": __import__})

def outcome(code, header, names, texts, samples):
    space = {}
    exec(header, space)
    counts = {}
    values = [build(text) for text in samples]
    def probe(number):
        counts[number] = counts.get(number, 0) + 1
        return values[number]
    space["__probe__"] = probe
    compiled, is_async = code
    space["__builtins__"] = SAFE
    exec(compiled, space)
    arguments = []
    for name in names:
        arguments.append(values[texts.index(name)])
    try:
        made = space["run"](*arguments)
        if is_async:
            try:
                made.send(None)
            except StopIteration as stop:
                made = stop.value
        return "value", made, values, counts
    except Exception as error:
        return "error", type(error).__name__, values, counts

def shown(value):
    if hasattr(value, "read"):
        return "file:" + repr(value.read())
    if hasattr(value, "__next__"):
        return "items:" + repr(list(value))
    if callable(value):
        return "a callable"
    return type(value).__name__ + ":" + re.sub("0x[0-9a-fA-F]+", "", repr(value))

def attempt(trial):
    texts = trial["operands"]
    names = [text for text in dict.fromkeys(texts) if text.isidentifier()
             and text not in ("None", "True", "False")]
    before = function(trial["original"], texts, names)
    after = function(trial["changed"], texts, names)
    kind, value, _, _ = outcome(before, trial["header"], names, texts, trial["crash"])
    if kind != "error" or value != trial["exception"]:
        return "not run", "The crash does not come about with samples for its operands."
    kind, value, left, counts = outcome(after, trial["header"], names, texts, trial["crash"])
    if kind == "error":
        return "failed", "With operands like those of the crash the change raises %s." % value
    if trial["expected"]:
        wanted = shown(build(trial["expected"]))
        if shown(value) != wanted:
            return "failed", ("With operands like those of the crash the change gives "
                              "%.80s, not %.80s." % (shown(value), wanted))
    if any(count > 1 and not trial["repeatable"][number] for number, count in counts.items()):
        return "failed", "The change evaluates an operand twice."
    for good in trial["good"]:
        old = outcome(before, trial["header"], names, texts, good)
        new = outcome(after, trial["header"], names, texts, good)
        if old[0] == "error":
            continue
        same = shown(old[1]) == shown(new[1]) and [shown(one) for one in old[2]] == [
            shown(one) for one in new[2]]
        if new[0] == "error" or not same:
            return "failed", "With operands that do not crash the change gives something else."
        if set(new[3]) != set(old[3]):
            return "failed", "With operands that do not crash others are evaluated than before."
    return "passed", ("Run again with operands like those of the crash, it gives what was "
                      "supplied, and with others what it gave before.")

def safely(trial):
    try:
        return attempt(trial)
    except BaseException as error:
        return "not run", "The trial could not be set up (%s)." % type(error).__name__

answers = [safely(trial) for trial in json.load(sys.stdin)]
print(json.dumps(answers))
"""
