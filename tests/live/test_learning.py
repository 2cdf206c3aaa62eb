"""Crashes in code without pads: learned at the boundary that they reach, healed from then on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

MADE = '''\
import threading
SOURCE = """
def bio(user):
    return "bio: " + user.get("bio").strip()
def rows(found):
    for row in found:
        yield row["n"] + 1
class Rule:
    def check(self, value):
        return value.price
def make(n):
    def closure(value):
        return (n, value["x"])
    return closure
"""
ns = {}
exec(SOURCE, ns)
def in_thread(function, *arguments):
    def work():
        print(function.__name__, function(*arguments))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
'''


@pytest.fixture
def run(installed_python, tmp_path: Path):
    """Write `app.py` (unless the text is empty) and run it in the test's folder."""

    def run_program(text: str = "", *words: str, **options):
        if text:
            (tmp_path / "app.py").write_text(text)
        return installed_python.run(*(words or ("app.py",)), cwd=tmp_path, **options)

    return run_program


def patches(folder: Path) -> list[dict[str, object]]:
    files = sorted((folder / ".codesuture_store" / "patches").glob("*.json"))
    return [json.loads(file.read_text()) for file in files]


THREADS = MADE + """\
alive = ns["rows"]([{"n": 1}, {}])
next(alive)
first, second = ns["make"](1), [ns["make"](2)]
for _ in range(2):
    in_thread(ns["bio"], {})
    in_thread(ns["Rule"]().check, None)
    in_thread(first, {})
    in_thread(lambda: list(ns["rows"]([{}])))
print(second[0]({}), ns["make"](3)({}))
try:
    list(alive)
except KeyError as error:
    print("the generator of before", error)
try:
    ns["bio"]({})
except AttributeError:
    print("handled")
"""


def test_threads_of_a_program_that_goes_on(installed_python, run, tmp_path):
    done = run(THREADS)
    expected = [
        "bio bio: ", "check ", "closure (1, None)", "<lambda> [1]",
        "(2, None) (3, None)", "the generator of before 'n'", "handled",
    ]  # fmt: skip
    assert done.stdout.splitlines() == expected, done.stderr
    assert done.stderr.count("Traceback") == 4
    assert done.stderr.count("reached threading.Thread._bootstrap_inner; from now on") == 4
    learned = {one["qualname"]: one["learned"] for one in patches(tmp_path)}
    assert "1 function got the patched code." in learned["bio"]
    assert "2 functions got the patched code." in learned["make.<locals>.closure"]
    assert "1 frame that ran or waited then went on in the old code" in learned["rows"]
    audit = installed_python.run("-m", "codesuture", "audit", cwd=tmp_path, agent=False)
    assert "app:rows" in audit.stdout or "__main__:rows" in audit.stdout
    assert "1 frame that ran or waited then went on in the old code" in audit.stdout
    again = run()
    assert "Traceback" not in again.stderr
    assert again.stdout.splitlines()[:4] == expected[:4]
    assert again.stdout.splitlines()[-1] == "handled"


LOOP = MADE + """\
import asyncio, gc, socket, socketserver
async def job():
    return ns["bio"]({})
async def main():
    task = asyncio.create_task(job())
    await asyncio.wait([task])
    del task
    gc.collect()
    print("task", await job())
    loop = asyncio.get_running_loop()
    for _ in range(2):
        loop.call_soon(lambda: print("callback", list(ns["rows"]([{}]))))
        await asyncio.sleep(0)
asyncio.run(main())
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.send(str(ns["Rule"]().check(None)).encode())
with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
    for _ in range(2):
        with socket.create_connection(server.server_address) as client:
            server.handle_request()
            print("server", client.recv(10))
class Finalized:
    def __del__(self):
        {}["unraisable"]
Finalized()
Finalized()
"""


def test_loops_servers_and_what_cannot_be_raised(run, tmp_path):
    done = run(LOOP)
    assert done.stdout.splitlines() == [
        "task bio: ", "callback [1]", "server b''", "server b'None'",
    ], done.stderr  # fmt: skip
    assert done.stderr.count("Exception ignored") == 2, "only recorded"
    assert len(patches(tmp_path)) == 3
    recorded = (tmp_path / ".codesuture_store").rglob("*.jsonl")
    assert any("unraisablehook" in file.read_text() for file in recorded)


TOP = """\
print("begin")
names = {"d": {}}
exec("print('got', d['x'])", names)
def total(row):
    return eval("row['price'] * 2")
code = compile("value.strip()", "rules.py", "eval")
print(total({}), repr(eval(code, {"value": None})))
"""


def test_the_top_of_the_program_and_the_next_runs(run, tmp_path):
    for number, last in enumerate(["begin", "got "], 1):
        done = run(TOP if number == 1 else "")
        assert done.returncode == 1 and done.stdout.splitlines()[-1] == last, done.stderr
        assert "reached the top of the program; from now on" in done.stderr
        assert "codesuture" not in done.stderr.replace("[CodeSuture]", ""), "no frame of ours"
    assert len(patches(tmp_path)) == 2
    with open(os.devnull, "rb") as nothing:
        done = run("", "-m", "codesuture", "run", "app.py", stdin=nothing)
    assert done.returncode == 0 and done.stderr.count("Re-executing after 1 patch(es)") == 1
    assert done.stdout.splitlines()[-1].startswith("0 "), done.stdout
    assert "Re-executions: 1" in done.stderr
    for words in (["app.py"], ["-c", TOP]):
        healed = run("", *words)
        assert healed.returncode == 0 and "Traceback" not in healed.stderr, healed.stderr


EXEC = '''\
import sys, inspect
{prelude}
x = "module"
def local():
    x = "local"
    exec("print(x, sorted(locals()))")
    print(eval("x"), eval("x", None), eval("x", None, {{"x": "given"}}))
    exec("y = 1")
    return sorted(locals())
print(local())
class Body:
    x = "class"
    exec("z = x")
    print(z)
exec("from __future__ import annotations\\ndef f(a: no): pass\\nprint(f.__annotations__)")
print(eval("  1 + 1"), eval(b"2"), exec("pass"), eval(compile("3", "x", "eval")))
for wrong in (lambda: eval("1 +"), lambda: exec(5), lambda: exec("x", 5), lambda: eval("1/0"),
              lambda: exec("raise ValueError(1)"), lambda: exec(), lambda: exec("\\0")):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error, [f.function for f in
            inspect.getinnerframes(error.__traceback__)])
cell = 0
def closure():
    nonlocal_ = 1
    def inner(): return nonlocal_
    exec(inner.__code__, closure=inner.__closure__)
closure()
'''


def test_exec_and_eval_are_what_they_were(run, tmp_path):
    """Where the built-in names are ours, because something was learned."""
    crash = "try: a\nexcept NameError: exec('{}[\\'learned\\']')"
    run(crash.replace("try: a\nexcept NameError: ", ""))
    assert len(patches(tmp_path)) == 1
    text = EXEC.format(prelude="")
    plain, ours = run(text, agent=False), run()
    assert "exec_armed" in run(text + "print(exec.__code__)").stdout
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, 0)


ROLLED = MADE + """\
import os, subprocess, sys, time
code = ns["bio"].__code__
in_thread(ns["bio"], {})
in_thread(ns["bio"], {})
patched = ns["bio"].__code__
subprocess.run([sys.executable, "-m", "codesuture", "rollback", "--all"], stdout=2)
time.sleep(1.1)
in_thread(ns["bio"], {})
print(patched is not code, ns["bio"].__code__ is code)
in_thread(ns["bio"], {})
in_thread(ns["bio"], {})
"""


def test_a_rollback_in_a_running_process(run):
    done = run(ROLLED)
    assert done.stdout.splitlines() == ["bio bio: ", "True True", "bio bio: "], done.stderr
    assert done.stderr.count("Traceback") == 3, "once more in the armed code, once in its own"
    assert "Rolled back: bio runs its own code again." in done.stderr


@pytest.mark.parametrize(
    "setting",
    [
        {"CODESUTURE_DRY_RUN": "1"},
        {"CODESUTURE_MODE": "observe"},
        {"CODESUTURE_PROTECT": "__main__"},
        {"CODESUTURE_EXCLUDE": "__main__"},
        {"CODESUTURE_MODE": "off"},
    ],
    ids=lambda setting: "-".join(setting.values()),
)
def test_nothing_is_learned_where_nothing_may_be_healed(run, tmp_path, setting):
    done = run("exec(\"{}['x']\", {})", env=setting)
    assert done.returncode == 1 and patches(tmp_path) == []


LEFT_ALONE = MADE.replace("bio(user):", "bio(user):\n    if not user: raise KeyError('said')") + """
import threading
in_thread(ns["bio"], {})
def own(arguments): print("own hook", arguments.exc_type.__name__)
threading.excepthook = own
in_thread(ns["Rule"]().check, None)
try:
    ns["make"](1)({})
except KeyError:
    print("handled")
"""


def test_what_speaks_or_is_handled_is_left_alone(run, tmp_path):
    done = run(LEFT_ALONE)
    assert done.stdout.splitlines() == ["own hook AttributeError", "handled"], done.stderr
    assert patches(tmp_path) == []


LOADER = """\
import importlib.abc, importlib.util, sys, threading
class Loader(importlib.abc.Loader):
    def create_module(self, spec): return None
    def exec_module(self, module):
        exec(compile("def price(row): return row['price']", "plugin.txt", "exec"), vars(module))
spec = importlib.util.spec_from_loader("plugin", Loader())
plugin = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plugin)
for _ in range(2):
    thread = threading.Thread(target=lambda: print("price", plugin.price({})))
    thread.start()
    thread.join()
"""


def test_a_loader_that_is_not_armed(run):
    assert run(LOADER).stdout == "price \n"
    assert run().stdout == "price \n" * 2


PACKAGES = """\
import threading, types
import humanize, markdown, prettytable, sqlparse, dateutil.relativedelta, croniter
rules = {
    "markdown": "markdown.markdown(value)",
    "humanize": "humanize.naturalsize(value)",
    "prettytable": "prettytable.PrettyTable(['a']).add_row(value)",
    "dateutil": "dateutil.relativedelta.relativedelta(months=value)",
    "croniter": "croniter.croniter(value)",
}
for name, rule in rules.items():
    made = {name: globals()[name]}
    exec(f"def rule(value):\\n    result = {rule}\\n    return 'went on'", made)
    for _ in range(2):
        def work():
            print(name, made["rule"](None))
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
"""


def test_packages_that_crash_on_bad_data(run, tmp_path):
    """Called by code that was made at run time; the configuration names their distributions."""
    assert run(PACKAGES).stdout == "", "it is off until they are named"
    (tmp_path / "codesuture.toml").write_text('library_calls = ["*"]\n')
    done = run()
    names = ["markdown", "humanize", "prettytable", "dateutil", "croniter"]
    assert done.stdout.splitlines() == [f"{name} went on" for name in names], done.stderr
    found = patches(tmp_path)
    assert {one["guard"] for one in found} == {"call_guard"} and len(found) == 5
    assert all(one["library"] and one["learned"] for one in found)
    assert run().stdout.splitlines() == [f"{name} went on" for name in names for _ in range(2)]


INCLUDED = """\
import threading
import humanize.filesize as real
names = {"__name__": "humanize.filesize", "__file__": real.__file__}
with open(real.__file__) as file:  # as if it had been loaded before codesuture began
    exec(compile(file.read(), real.__file__, "exec"), names)
for _ in range(2):
    thread = threading.Thread(target=lambda: print(names["naturalsize"](None)))
    thread.start()
    thread.join()
"""


def test_the_frame_of_a_package_that_the_configuration_includes(run, tmp_path):
    assert run(INCLUDED).stdout == "" and patches(tmp_path) == []
    (tmp_path / "codesuture.toml").write_text('include = ["humanize"]\n')
    done = run()
    assert done.stdout.count("\n") == 1, done.stderr
    (patch,) = patches(tmp_path)
    assert (patch["module"], patch["qualname"]) == ("humanize.filesize", "naturalsize")
