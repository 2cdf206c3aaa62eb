"""A site whose pattern is known gets its default at once, here and in another project."""

from __future__ import annotations

import json
from pathlib import Path

from codesuture.store import Patch, Store

FIRST = """\
def one(user): return "a" + user["name"]
def two(person): return "b" + person["nick"]
def three(x):

    return "c" + x["q"]
def number(y): return 1 + y["n"]

for function in (one, two, three, number):
    print(repr(function({})))
"""
SECOND = """\
class Shop:
    def title(self, row):
        return "d" + row["title"]

def other(row): return row["title"] + "d"
def annotated(row: "dict[str, str]"): return "e" + row["title"]
def of_another_type(row): return "f" + row["title"]

class Row(dict):
    pass

print(Shop().title({}), other({}), annotated({}), of_another_type(Row()), sep=",")
"""
HANDLED = """\
def get(row): return "d" + row["title"]
try:
    print(get({}))
except KeyError as error:
    print("handled", error)
"""


def patches(folder: Path) -> dict[str, Patch]:
    found = Store(folder / ".codesuture_store").patches()
    return {patch.qualname: patch for patch in found}


def test_across_functions_and_projects(installed_python, tmp_path: Path) -> None:
    here, there, config = tmp_path / "here", tmp_path / "there", tmp_path / "config"
    here.mkdir(), there.mkdir()

    def run(folder: Path, *words: str, code: int = 0, **options: object) -> str:
        done = installed_python.run(
            *words, cwd=folder, env={"XDG_CONFIG_HOME": str(config)}, **options
        )
        assert done.returncode == code and "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def command(folder: Path, *words: str, code: int = 0) -> str:
        return run(folder, "-m", "codesuture", "fingerprints", *words, agent=False, code=code)

    (here / "app.py").write_text(FIRST)
    assert run(here, "app.py").splitlines() == ["'a'", "'b'", "'c'", "1"]
    made = patches(here)
    assert made["one"].pattern == made["two"].pattern == made["three"].pattern != ""
    assert made["number"].pattern not in ("", made["one"].pattern)
    assert {patch.rung for patch in made.values()} == {"consumer"}
    listed = json.loads(command(here, "--json"))["fingerprints"]
    assert [(one["sites"], one["trusted"], one["from"]) for one in listed] == [
        (3, True, "project"), (1, False, "project"),
    ]  # fmt: skip
    # The fourth of its kind: not analysed any more.
    (here / "more.py").write_text("def four(y): return 'd' + y['z']\nprint(four({}))\n")
    assert run(here, "more.py") == "d\n"
    four = patches(here)["four"]
    assert (four.rung, four.pattern) == ("fingerprint", made["one"].pattern)
    explained = run(here, "-m", "codesuture", "explain", "four", agent=False)
    assert f"The pattern {four.pattern}" in explained and "known from 3 sites" in explained
    # In another project nothing is known of it until somebody imports it; it counts half there.
    for count in range(4, 7):
        (here / f"more{count}.py").write_text(
            f"def f{count}(y): return 'd' + y['z']\nprint(f{count}({{}}))\n"
        )
        run(here, f"more{count}.py")
    (there / "app.py").write_text(SECOND)
    run(there, "app.py")
    assert {one.rung for one in patches(there).values()} == {"consumer", "annotation"}
    run(there, "-m", "codesuture", "rollback", "--all", agent=False)
    file = tmp_path / "known.json"
    command(here, "export", str(file))
    assert not any(name in file.read_text() for name in ("app", "title", "one", str(tmp_path)))
    for _ in range(2):  # a file that is imported twice counts once
        command(there, "import", str(file))
    assert (config / "codesuture" / "fingerprints.json").exists()
    run(there, "app.py")
    found = patches(there)
    # A method does the same with what it is given; the variable before that does not count.
    assert found["Shop.title"].rung == "fingerprint"
    assert "imported registry" in found["Shop.title"].reason
    # Another order, an annotation, a value of another type: that is read as ever.
    assert found["other"].rung == found["of_another_type"].rung == "consumer"
    assert found["annotated"].rung == "annotation"
    # Whatever is known: what somebody handles is not touched.
    (there / "handled.py").write_text(HANDLED)
    assert run(there, "handled.py") == "handled 'title'\n"
    # Switched off, it is as if nothing were known.
    run(there, "-m", "codesuture", "rollback", "--all", agent=False)
    (there / "codesuture.toml").write_text("fingerprints = false\n")
    run(there, "app.py")
    assert "fingerprint" not in {one.rung for one in patches(there).values()}


def test_files_that_are_refused(installed_python, tmp_path: Path) -> None:
    config = {"XDG_CONFIG_HOME": str(tmp_path / "config")}

    def command(*words: str) -> tuple[int, str]:
        done = installed_python.run(
            "-m", "codesuture", "fingerprints", *words, cwd=tmp_path, env=config, agent=False
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    (tmp_path / "bad.json").write_text('{"format": 1, "patterns": [NaN]}')
    code, said = command("import", "bad.json")
    assert code == 2 and "was not imported because it holds NaN" in said
    code, said = command("import", "nowhere.json")
    assert code == 1 and "there is no file nowhere.json" in said
    assert command("import")[0] == command("list", "x")[0] == 2
    assert command("export", "nowhere/x.json")[0] == 1
    # What lies in the configuration folder is not believed either.
    own = tmp_path / "config" / "codesuture"
    own.mkdir(parents=True)
    (own / "fingerprints.json").write_text("{")
    code, said = command()
    assert code == 1 and "is not used because it is not JSON" in said
    (tmp_path / "app.py").write_text("def f(x): return 'a' + x['k']\nprint(f({}))\n")
    done = installed_python.run("app.py", cwd=tmp_path, env=config)
    assert (done.returncode, done.stdout) == (0, "a\n")
    assert "Imported fingerprints are not used: " in done.stderr
