"""`python -c`, standard input and pipes: armed, and otherwise what plain Python makes of them."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .test_main import DEATHS, STATE, SUBINTERPRETER, WORKERS

#: Ways to give a program: words of the command line, standard input.
WAYS = {
    "command": lambda source, *words: (["-c", source, *words], ""),
    "standard input": lambda source, *words: (["-", *words], source),
    "pipe": lambda source, *words: (["/dev/stdin", *words], source),
}
way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@way
def test_state(same, way):
    words, source = way(STATE + "raise OSError(1)\n", "a", "-b")
    code, out, err = same(*words, input=source)
    assert code == 1 and "['<module>', 'called']" not in out and "OSError" in err


@pytest.mark.parametrize(
    "options",
    [
        *("-O", "-OO", "-P", "-I", "-E", "-S", "-b", "-u", "-x", "-Werror", "-Wignore", "-Xdev"),
        *("-X frozen_modules=off", "-X no_debug_ranges", "--check-hash-based-pycs always"),
    ],
)
def test_options_of_a_command(same, options):
    same(*options.split(), "-c", "'first line'\n" + STATE)


@pytest.mark.parametrize("options", ["-OO", "-I", "-E", "-S", "-x", "-Xdev", "-Werror"])
def test_options_with_standard_input(same, options):
    same(*options.split(), "-", input="'first line'\n" + STATE)


#: Those in which the interpreter's own part differs for standard input and pipes.
STREAMS = ("chain", "stop", "exit text", "hook", "at exit", "at exit, exit", "last", "interrupt",
           "null")


@pytest.mark.parametrize("death", sorted(DEATHS.keys() - {"null"}))
def test_how_a_command_ends(same, death):
    same("-c", DEATHS[death])


@pytest.mark.parametrize("death", [*STREAMS, "tabs", "warning", "unknown encoding", "empty"])
def test_how_standard_input_ends(same, death):
    same(input=DEATHS[death])


@pytest.mark.parametrize("death", ["error", "exit number", "at exit", "interrupt", "syntax"])
def test_how_a_piped_script_ends(same, death):
    same("/dev/stdin", input=DEATHS[death])


@pytest.mark.parametrize(
    "words",
    [
        ["-cprint(1)\nraise OSError", "x"],
        ["-Bcimport sys; print(sys.flags, sys.orig_argv)"],
        ["-Xdev", "-c", "-1", "-c", "print(2)"],
        ["-c", "    x = '''a\n    \n    b'''\n    print(repr(x)); raise OSError"],
        ["-c", "  print(1)\n print(2)"],
        ["-c", "x = '''a\n    \nb'''\nprint(repr(x), end='')"],
        ["-c", "from __future__ import annotations\nx: y = 1\nprint(__annotations__)"],
        ["-c", "x: int = 1\nprint(__annotations__, sorted(globals()))"],
        ["-c", "# coding: latin-1\nprint('\u00f6', ascii('\u00f6'))"],
        ["-c", b"print('\xff')"],
        ["-c", ""],
        ["-c", "import __main__ as m, sys; print(m.__dict__ is globals(), hasattr(sys, 'ps1'))"],
        ["-c", "import linecache; print(getattr(linecache, '_register_code', 0))"],
        ["-c", "import sys; print(sys.excepthook, list(map(type, globals())))"],
        ["-c", "import inspect\ndef f(): pass\nprint(inspect.getsource(f))"],
        ["-c", "import sys; sys.last_type = KeyboardInterrupt"],
        ["-c", "import sys; sys.last_type = KeyboardInterrupt; sys.exit(3)"],
        ["-c", "import sys; print(open(0).read(), sys.argv)"],
    ],
    ids=ascii,
)
def test_commands(installed_python, same, words, tmp_path):
    if words[1:] and isinstance(words[-1], bytes):
        words = [words[0], os.fsdecode(words[-1])]
    same(*words, input="given")


def test_what_stands_on_standard_input(same, tmp_path):
    (tmp_path / "app.py").write_bytes(b"# coding: latin-1\nprint(ascii('\xf6'))\nraise OSError\n")
    (tmp_path / "big.py").write_text("x = 1\n" * 30_000 + "import sys; print(sys.stdin.read())\n")
    for name in ("app.py", "big.py"):
        with open(tmp_path / name, "rb") as file:
            same("-", "x", stdin=file)
    same(input="\ufeffprint('b\u00f6m')\n")
    same(input="from __future__ import annotations\nx: y = 1\nprint(__annotations__)\nraise x\n")
    same("-x", input="nonsense (\nprint(1)\n")
    same("-", input="if 1:\n    print(1)")


@way
def test_armed_and_healed(installed_python, tmp_path, way):
    """The module's own code, functions, and a crash that the program handles itself."""
    words, source = way(
        "def f(u): return u.name\n"
        "try:\n    None.x\nexcept AttributeError: print('handled')\n"
        "print(repr(f(None)), repr(None.y))\n"
    )
    (tmp_path / "codesuture.toml").touch()
    (tmp_path / "sub").mkdir()
    first, again = (
        installed_python.run(*words, cwd=tmp_path / "sub", input=source) for _ in range(2)
    )
    assert (first.returncode, first.stdout) == (0, "handled\n'' ''\n"), first.stderr
    assert again.stdout == first.stdout and "loaded persistent patch for f" in again.stderr
    explain = installed_python.run("-m", "codesuture", "explain", "f", cwd=tmp_path)
    assert explain.returncode == 0 and "test `if u is not None:`" in explain.stdout
    if source == "":
        assert "(<string> cannot be read here)" in explain.stdout


def test_excluded_and_switched_off(installed_python, tmp_path):
    crash = "{}['a']"
    (tmp_path / "codesuture.toml").write_text('exclude = ["__main__"]\n')
    assert installed_python.run("-c", crash, cwd=tmp_path).returncode == 1
    assert installed_python.run(cwd=tmp_path, input=crash).returncode == 1
    (tmp_path / "codesuture.toml").write_text("")
    assert installed_python.run("-c", crash, cwd=tmp_path).returncode == 0
    off = {"CODESUTURE": "0"}
    assert installed_python.run("-c", crash, cwd=tmp_path, env=off).returncode == 1


@pytest.mark.parametrize("end", ["pass", "raise OSError", "import sys; sys.exit(4)"])
def test_interactive_afterwards(same, end):
    asked = (
        "import sys; print(sorted(globals()), sys.excepthook)\n"
        "print([name for name in dir(sys) if 'last' in name])\n"
        "def f(: pass\n"
        "1/0\nprint(getattr(sys, 'last_value', None))\nimport sys; sys.exit(7)\n"
    )
    assert same("-i", "-c", f"print(1); {end}", input=asked)[0] == 7
    same("-i", "-c", f"from __future__ import annotations; {end}", input="x: y = 1\n")
    same("-i", "-c", f"import sys; sys.last_value = 3; {end}", input=asked)
    assert same("-i", "-", input=f"print(1); {end}\n{{}}['x']\nNone.x\n")[0] in (0, 4)


@pytest.mark.parametrize("end", ["pass", "raise OSError", "import sys; sys.exit(4)"])
def test_inspection_asked_for_by_the_environment(same, end):
    """Without a terminal there is no prompt, and SystemExit is reported like any exception."""
    inspect = {"PYTHONINSPECT": "1"}
    same("-c", f"print(1); {end}", env=inspect)
    same("-E", "-c", f"print(1); {end}", env=inspect)
    same(input=f"print(1); {end}\n", env=inspect)
    same("-c", f"import os; os.environ['PYTHONINSPECT'] = '1'\n{end}")
    same(input=f"import os; os.environ['PYTHONINSPECT'] = '1'\n{end}\n")


def on_a_terminal(python: str, words: list[str], typed: str, env: dict[str, str]) -> tuple:
    """Run Python with a terminal as its standard input, and what is typed there at once."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [python, *words],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**env, "PYTHON_BASIC_REPL": "1", "TERM": "dumb"},
        )
        os.write(ours, typed.encode())
        out, _ = process.communicate(timeout=60)
        return process.returncode, out.decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("words", "prompts"),
    [
        (["-c", "import os; os.environ['PYTHONINSPECT'] = '1'"], True),
        (["-c", "import os; print(os.isatty(0))"], False),
        (["-i", "-c", "1/int('0')"], True),
        (["-q"], True),
        (["-i", "app.py"], True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_terminals_and_prompts(installed_python, tmp_path, monkeypatch, words, prompts):
    """At a prompt the person who typed it sees the exception; a script before it is armed."""
    monkeypatch.chdir(tmp_path)
    Path("app.py").write_text("def f(x): return x.name\nprint(repr(f(None)))\n")
    typed = "{}['typed']\nexit(3)\n" if prompts else ""
    plain, ours = (
        on_a_terminal(installed_python.python, words, typed, installed_python.environment(**switch))
        for switch in ({}, {"CODESUTURE": "1"})
    )
    if "app.py" in words or "1/int('0')" in words:
        assert ours[0] == 3 and "Patch applied" in ours[1]
        assert plain[1].count("Traceback") == 2 and ours[1].count("Traceback") == 1
    else:
        assert ours == plain
    assert ("KeyError: 'typed'" in ours[1]) is prompts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@way
def test_signals(same, way, number):
    program = f"import os, time\nos.kill(os.getpid(), {int(number)})\ntime.sleep(20)\n"
    words, source = way(program)
    assert same(*words, input=source)[0] == -number


@way
def test_order_of_output_in_one_stream(installed_python, way):
    merged = []
    for end in ("raise OSError(1)", "sys.exit('bye')", "pass"):
        program = "import sys, atexit\natexit.register(print, 'end')\nprint('out')\n"
        words, source = way(program + f"sys.stderr.write('err\\n')\n{end}\n")
        for switch in ({}, {"CODESUTURE": "1"}):
            done = subprocess.run(
                [installed_python.python, *words],
                env=installed_python.environment(**switch),
                input=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            merged.append(done.stdout)
    assert merged[0::2] == merged[1::2] and all("out" in text for text in merged)


@way
def test_tracing_and_profiling(same, way):
    """A hook of the interpreter must not keep the program from being traced."""
    program = (
        "import sys, cProfile\nevents = []\ndef f(x): return x\n"
        "sys.settrace(lambda frame, event, arg: events.append((frame.f_code.co_name, event)))\n"
        "f(1)\nsys.settrace(None)\nprint(events)\n"
        "sys.setprofile(lambda frame, event, arg: events.append(event))\n"
        "f(len(()))\nsys.setprofile(None)\nprint(events)\n"
        "import threading\nt = threading.Thread(target=f, args=(1,)); t.start(); t.join()\n"
        "p = cProfile.Profile(); p.runcall(f, 1); print(len(p.getstats()))\n"
    )
    words, source = way(program)
    same(*words, input=source)


@way
def test_audit_hooks_of_the_program(same, way):
    words, source = way(
        "import sys\nseen = []\nsys.addaudithook(lambda event, _: seen.append(event))\n"
        "open('/dev/null').close(); exec('1'); id(1)\nprint(seen)\n"
        "def no(event, _):\n    if event == 'open': raise RuntimeError('no')\n"
        "sys.addaudithook(no)\ntry: open('/dev/null')\nexcept RuntimeError as e: print(e)\n"
    )
    same(*words, input=source)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_a_command(same, tmp_path, method):
    """Spawned workers do not know the classes of a command: plain Python's own error."""
    source = WORKERS if method == "fork" else WORKERS.replace("pool.map(work", "pool.map(abs")
    source = source.replace("[Point(1), Point(2)]", "[1, 2]" if method != "fork" else "[Point(1)]")
    source = source.replace("[Point(3)]", "[3]" if method != "fork" else "[Point(3)]")
    code, out, _ = same("-c", source, method)
    assert code == 0 and "child True\n0" in out


def test_processes_of_multiprocessing_have_no_audit_hook(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(
        "import multiprocessing, sys\n"
        "def work(_):\n    return sorted(n for n in sys.modules if n.startswith('codesuture_a'))\n"
        "if __name__ == '__main__':\n"
        "    for method in ('spawn', 'forkserver'):\n"
        "        with multiprocessing.get_context(method).Pool(1) as pool:\n"
        "            print(pool.map(work, [1]))\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path)
    assert done.returncode == 0 and "codesuture_agent.boot" in done.stdout, done.stderr
    assert "stream" not in done.stdout


@way
def test_subinterpreters(same, tmp_path, way):
    (tmp_path / "sibling.py").write_text("print('sibling')\n")
    words, source = way(SUBINTERPRETER + "print(run(interpreters.create(), 'print(1)'))\n")
    _, out, _ = same(*words, input=source)
    assert out.count("sibling\n") <= 2


def test_no_audit_hook_below_a_command(installed_python, tmp_path):
    """An audit hook would make every audited function slower for good."""
    (tmp_path / "x").mkdir()
    done = installed_python.run("-c", "import sys; print(sorted(sys.modules))", cwd=tmp_path)
    assert "codesuture_agent.command" in done.stdout
    assert "codesuture_agent.stream" not in done.stdout


def test_recursion_depth(installed_python, tmp_path):
    """Before 3.12 C calls count as well: starting through built-in functions costs a few."""
    source = "def f(n):\n    try: return f(n + 1)\n    except RecursionError: return n\nprint(f(0))"
    for give in WAYS.values():
        words, typed = give(source)
        plain, ours = (
            int(installed_python.run(*words, cwd=tmp_path, agent=agent, input=typed).stdout)
            for agent in (False, True)
        )
        assert plain - ours <= (6 if sys.version_info < (3, 12) else 0)


FAULTS = {
    "arming": "import codesuture.importhook as hook\nhook.arm_script = lambda code: 1 / 0\n",
    "surgery": "from codesuture.surgery import arming\narming.arm = lambda code: 1 / 0\n",
}


@way
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_never_worse(installed_python, tmp_path, way, fault):
    """With a fault of ours the program runs as plain, and one line says so."""
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nif 'codesuture_agent' in sys.modules:\n    {fault.replace(chr(10), '; ')}\n"
    )
    words, source = way("print(1)\ndef f(x): return x.name\nprint(f(None))\n")
    plain, ours = (
        installed_python.run(
            *words, cwd=tmp_path, agent=agent, input=source, env={"PYTHONPATH": str(tmp_path)}
        )
        for agent in (False, True)
    )
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout) == (1, "1\n")
    said = ours.stderr.splitlines(keepends=True)
    assert "runs without codesuture" in said[0] and "".join(said[1:]) == plain.stderr
