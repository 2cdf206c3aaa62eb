"""Programs in which every guard's crash stands in every context, with side effects around it.

A program is built from a context (a template in which ``EXPR`` stands for the crashing
expression) and a crash (what is set up, and the expression). ``log(1)`` runs before the crash and
``log(2)`` behind it; each program prints ``crash, log`` for every crash it survived.
"""

from __future__ import annotations

#: guard -> (set-up, expression that crashes)
CRASHES: dict[str, tuple[str, str]] = {
    "null_guard": ("user = None", "user.name"),
    "null_guard_method": ("user = None", "user.get_name(log('argument'))"),
    "key_guard": ("table = {'a': 1}", "table['b']"),
    "subscript_guard": ("nothing = None", "nothing['k']"),
    "chain_subscript_guard": ("data = {'user': {}}", "data['user']['name']['first']"),
    "index_guard": ("row = [1]; place = 5", "row[place]"),
    "list_bound_guard": ("row = [1]", "row[3]"),
    "type_coercion_guard": ("text = 'x12'", "int(text)"),
    "type_coercion_guard_float": ("text = None", "float(text)"),
    "division_guard": ("total, count = 7, 0", "total / count"),
    "division_guard_divmod": ("total, count = 7, 0", "divmod(total, count)"),
    "str_coerce_guard": ("age = 25", "'age: ' + age"),
    "file_guard": ("path = '/no/such/file'", "open(path)"),
    "callable_guard": ("hook = None", "hook(log('argument'))"),
    "iteration_guard": ("rows = None", "[*rows]"),
    "length_guard": ("rows = None", "len(rows)"),
    "none_operand_guard": ("price = None", "price * 2"),
    "none_operand_guard_compare": ("price = None", "price < 2"),
    "attribute_guard": ("number = 5", "number.nope"),
    "membership_guard": ("rows = None", "1 in rows"),
    "operand_guard": ("rows = []", "rows - 1"),
    "argument_guard": ("number = 5", "len(number)"),
    "lookup_guard": ("table = {}", "table.pop('k')"),
    "lookup_guard_min": ("rows = ()", "min(rows)"),
    "format_guard": ("nothing = None", "f'{nothing:>10}'"),
}

PRELUDE = """\
import sys
seen = []
def log(what):
    seen.append(what)
    return what
def done(crash, value, expected):
    if seen != expected:
        raise SystemExit(f"{crash}: {seen} instead of {expected}")
    print(crash, flush=True)
    seen.clear()
"""

#: Statements around EXPR; what they leave in ``value`` is its result. SETUP sets the names up.
CONTEXTS: dict[str, str] = {
    "module level": "SETUP\nlog(1); value = EXPR; log(2)\n",
    "function": """
def function():
    SETUP
    log(1); value = EXPR; log(2)
    return value
value = function()
""",
    "method": """
class Thing:
    def method(self):
        SETUP
        log(1); value = EXPR; log(2)
        return value
value = Thing().method()
""",
    "class body": """
class Thing:
    SETUP
    log(1); value = EXPR; log(2)
value = Thing.value
""",
    "closure": """
def outer():
    SETUP
    def inner():
        log(1); value = EXPR; log(2)
        return value
    return inner
value = outer()()
""",
    "lambda": """
SETUP
function = lambda: (log(1), EXPR, log(2))[1]
value = function()
""",
    "property": """
class Thing:
    @property
    def prop(self):
        SETUP
        log(1); value = EXPR; log(2)
        return value
value = Thing().prop
""",
    "__init__": """
class Thing:
    def __init__(self):
        SETUP
        log(1); self.value = EXPR; log(2)
value = Thing().value
""",
    "decorated": """
import functools
def decorate(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)
    return wrapper
@decorate
def function():
    SETUP
    log(1); value = EXPR; log(2)
    return value
value = function()
""",
    "list comprehension": """
def function():
    SETUP
    return [(log(1), EXPR, log(2))[1] for _ in range(1)]
value = function()
""",
    "dict comprehension": """
def function():
    SETUP
    return {k: (log(1), EXPR, log(2))[1] for k in range(1)}
value = function()
""",
    "generator expression": """
def function():
    SETUP
    return list((log(1), EXPR, log(2))[1] for _ in range(1))
value = function()
""",
    "generator": """
def generate():
    SETUP
    log(1)
    yield EXPR
    log(2)
value = list(generate())
""",
    "coroutine": """
import asyncio
async def inner():
    SETUP
    log(1); value = EXPR; log(2)
    return value
async def main():
    return await inner()
value = asyncio.run(main())
""",
    "async generator": """
import asyncio
async def generate():
    SETUP
    log(1)
    yield EXPR
    log(2)
async def main():
    return [value async for value in generate()]
value = asyncio.run(main())
""",
    "with": """
import contextlib
class Manager:
    def __enter__(self): return self
    def __exit__(self, *what): pass
def function():
    SETUP
    with Manager():
        log(1); value = EXPR; log(2)
    return value
value = function()
""",
    "try/finally": """
def function():
    SETUP
    try:
        log(1); value = EXPR
    finally:
        log(2)
    return value
value = function()
""",
    "finally": """
def function():
    SETUP
    try:
        log(1)
    finally:
        value = EXPR; log(2)
    return value
value = function()
""",
    "except": """
def function():
    SETUP
    try:
        raise ValueError
    except ValueError:
        log(1); value = EXPR; log(2)
    return value
value = function()
""",
    "for loop": """
def function():
    SETUP
    for _ in range(1):
        log(1); value = EXPR; log(2)
    return value
value = function()
""",
    "recursion": """
def function(depth):
    if depth:
        return function(depth - 1)
    SETUP
    log(1); value = EXPR; log(2)
    return value
value = function(20)
""",
    "f-string": """
def function():
    SETUP
    log(1); value = f"<{EXPR}>"; log(2)
    return value
value = function()
""",
    "match": """
def function():
    SETUP
    log(1)
    match EXPR:
        case 987654: value = 1
        case _: value = 2
    log(2)
    return value
value = function()
""",
    "default argument": """
SETUP
log(1)
def function(value=EXPR):
    return value
log(2)
value = function()
""",
    "thread": """
import threading
def function():
    SETUP
    log(1); results.append(EXPR); log(2)
results = []
thread = threading.Thread(target=function)
thread.start(); thread.join()
value = results[0]
""",
    "executor task": """
import concurrent.futures, time
def function():
    SETUP
    time.sleep(0.05)  # by now the result is being waited for
    log(1); value = EXPR; log(2)
    return value
with concurrent.futures.ThreadPoolExecutor() as pool:
    value = pool.submit(function).result()
""",
    "multiprocessing worker": """
import multiprocessing
def function(results):
    SETUP
    log(1); value = EXPR; log(2)
    results.put((str(value), seen))
fork = multiprocessing.get_context("fork")
results = fork.SimpleQueue()
process = fork.Process(target=function, args=(results,))
process.start(); process.join()
value, seen[:] = (None, []) if results.empty() else results.get()
""",
    "async with": """
import asyncio
class Manager:
    async def __aenter__(self): return self
    async def __aexit__(self, *what): pass
async def main():
    SETUP
    async with Manager():
        log(1); value = EXPR; log(2)
    return value
value = asyncio.run(main())
""",
    "gathered tasks": """
import asyncio
async def inner():
    SETUP
    log(1); value = EXPR; log(2)
    return value
async def main():
    return await asyncio.gather(inner())
value = asyncio.run(main())
""",
    "task group": """
import asyncio
async def inner():
    SETUP
    log(1); value = EXPR; log(2)
    return value
async def main():
    async with asyncio.TaskGroup() as group:
        task = group.create_task(inner())
    return task.result()
value = asyncio.run(main())
""",
    "asyncio.to_thread": """
import asyncio, time
def function():
    SETUP
    time.sleep(0.05)  # by now the task has gone to wait
    log(1); value = EXPR; log(2)
    return value
async def main():
    return await asyncio.to_thread(function)
value = asyncio.run(main())
""",
    "sorted key": """
def key(item):
    SETUP
    log(1); value = EXPR; log(2)
    return str(value)
value = sorted([1], key=key)
""",
    "map": """
def function(item):
    SETUP
    log(1); value = EXPR; log(2)
    return value
value = list(map(function, [1]))
""",
    "call argument": """
def take(*values): return values
def function():
    SETUP
    return take(log(1), EXPR, log(2))
value = function()
""",
}

#: Crashes at instructions that give no value, or take their place in a statement.
STATEMENTS: dict[str, tuple[str, str]] = {
    "null_guard set": ("user = None", "user.name = log('value')"),
    "null_guard delete": ("user = None", "del user.name"),
    "key_guard delete": ("table = {}", "del table['k']"),
    "subscript_guard set": ("nothing = None", "nothing['k'] = log('value')"),
    "subscript_guard delete": ("nothing = None", "del nothing['k']"),
    "list_bound_guard unpack": ("row = [1]", "a, b, c = row"),
    "list_bound_guard star": ("row = []", "a, *b = row"),
    "division_guard in place": ("total, count = 7, 0", "total //= count"),
    "str_coerce_guard in place": ("text, age = 'age: ', 25", "text += age"),
    "iteration_guard for": ("rows = None", "for row in rows: log('never')"),
    "iteration_guard mapping": ("rows = None", "{**rows}"),
    "none_operand_guard negative": ("price = None", "-price"),
    "context_manager_guard": ("manager = None", "with manager as inner: log('inside')"),
    "unpack_guard": ("pair = None", "a, b = pair"),
    "file_guard with": (
        "path = '/no/such/file'",
        "with open(path) as file: log(file.read())",
    ),
}


def indented(text: str, columns: int) -> str:
    return text.replace("\n", "\n" + " " * columns)


def program(context: str) -> tuple[str, list[str]]:
    """The source of one context with all crashes, and the lines it must print."""
    template = CONTEXTS[context]
    parts, lines = [PRELUDE], []
    for crash, (setup, expression) in CRASHES.items():
        expected = [1, "argument", 2] if "argument" in expression else [1, 2]
        body = template.replace("EXPR", expression).replace("SETUP", setup)
        parts.append(f"{body}\ndone({crash!r}, value, {expected!r})\n")
        lines.append(crash)
    return "".join(parts), lines


def statements() -> tuple[str, list[str]]:
    """The source of all statements, each in a function, and the lines it must print."""
    parts, lines = [PRELUDE], []
    inner = {"log('value')": "value", "log('inside')": "inside", "log(file.read())": ""}
    for crash, (setup, statement) in STATEMENTS.items():
        between = [logged for call, logged in inner.items() if call in statement]
        parts.append(
            f"def function():\n    {setup}\n    log(1)\n    {statement}\n    log(2)\n"
            f"function()\ndone({crash!r}, None, {[1, *between, 2]!r})\n"
        )
        lines.append(crash)
    return "".join(parts), lines
