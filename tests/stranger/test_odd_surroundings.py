"""Programs and commands in surroundings that nobody tidied up: streams, folders, names, users."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

APP = """\
import sys
def bio(user):
    return user.bio
def total(row):
    return row["sum"] + 1
print("total", total({}), sys.argv[1:])
print("bio", [bio(None)])
"""
HEALED = "total 1 {}\nbio [None]\n"


@pytest.fixture
def shell(installed_python, tmp_path):
    """Runs a line of sh, with the environment's `python` and `codesuture` on the path."""
    path = f"{installed_python.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    (tmp_path / "app.py").write_text(APP)

    def run(line: str, cwd: Path = tmp_path, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", line],
            cwd=cwd,
            env=installed_python.environment(PATH=path, PYTHONDONTWRITEBYTECODE="1", **env),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run


def blocks(stderr: str) -> int:
    return stderr.count("nothing was re-executed")


@pytest.mark.parametrize("command", ["python app.py", "codesuture run app.py"])
def test_a_program_without_standard_streams_is_healed(shell, command):
    done = shell(f"{command} 2>&-", CODESUTURE="1")
    assert (done.returncode, done.stdout) == (0, HEALED.format([]))
    done = shell(f"{command} >&-", CODESUTURE="1")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr
    assert shell(f"{command} <&- >&- 2>&-", CODESUTURE="1").returncode == 0
    done = shell("codesuture audit")
    assert done.stdout.count("app:") == 2 and " 3 " in done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [("audit", 0), ("--version", 0), ("--help", 0), ("", 2), ("status", 0), ("config", 0),
     ("explain", 0), ("explain nobody", 1), ("run nothing.py", 2)],
)  # fmt: skip
def test_commands_without_standard_streams(shell, words, code):
    shell("CODESUTURE=1 python app.py")
    done = shell(f"codesuture {words} >&-")
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    done = shell(f"codesuture {words} 2>&-")
    assert done.returncode == code
    assert "error: " not in done.stdout
    assert shell(f"codesuture {words} >&- 2>&-").returncode == code


def test_a_reader_that_goes_away(shell, tmp_path):
    functions = "\n".join(f"def f{n}(x): return x.a{n}\nf{n}(None)" for n in range(120))
    (tmp_path / "many.py").write_text(functions)
    assert shell("codesuture run many.py").returncode == 0
    for command in ("audit --json", "explain", "rollback --all"):
        done = shell(f"codesuture {command} | head -n 1")
        assert done.stderr == "" and done.stdout.count("\n") == 1
    assert shell("codesuture audit").stdout.startswith("No patches in ")


@pytest.mark.parametrize("name", ["an app.py", "äpp-ß.py", "-dash.py", "no_suffix", "a'b\"c.py"])
def test_names_of_scripts(shell, tmp_path, name):
    (tmp_path / "app.py").rename(tmp_path / name)
    word = shlex.quote(f"./{name}")
    done = shell(f"codesuture run {word} 'an argument'")
    assert (done.returncode, done.stdout) == (0, HEALED.format(["an argument"]))
    assert blocks(done.stderr) == 2 and f"{name}:5;" in done.stderr
    done = shell(f"python {word} ü", CODESUTURE="1")
    assert (done.returncode, done.stdout) == (0, HEALED.format(["ü"]))
    assert done.stderr.count("Already healed") == 2
    assert "      return user.bio\n" in shell("codesuture explain bio").stdout
    assert shell("codesuture rollback bio").returncode == 0


def test_a_locale_that_cannot_say_it(shell, tmp_path):
    (tmp_path / "größe.py").write_text("def länge(ä): return ä.ß\nlänge(None)\n", encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for _ in range(2):
        done = shell("codesuture run größe.py", **ascii_only)
        assert (done.returncode, done.stdout) == (0, "")
        assert "Crashes healed in place: 1" in done.stderr
    for command in ("audit", "explain", "status", "rollback --all"):
        done = shell(f"codesuture {command}", **ascii_only)
        assert (done.returncode, done.stderr) == (0, ""), command


def test_one_script_by_many_paths_from_many_folders(shell, tmp_path):
    folder = tmp_path / "sub" / "folder"
    folder.mkdir(parents=True)
    (tmp_path / "codesuture.toml").write_text("ttl = 1\n")
    assert blocks(shell("python app.py", CODESUTURE="1").stderr) == 2
    for where, word in ((tmp_path, f"{tmp_path}/app.py"), (folder, "../../app.py")):
        done = shell(f"python {word}", cwd=where, CODESUTURE="1")
        assert done.stderr.count("Already healed") == 2
    assert list(folder.iterdir()) == []
    (folder / "link.py").symlink_to(tmp_path / "app.py")
    assert shell("codesuture run link.py", cwd=folder).returncode == 0
    assert list(folder.iterdir()) == [folder / "link.py"]


def test_optimised_and_modules_and_zip_applications(shell, tmp_path):
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(APP)
    for command in ("python -O app.py", "python -OO app.py", "python -m shop", "python shop"):
        done = shell(command, CODESUTURE="1")
        assert (done.returncode, done.stdout) == (0, HEALED.format([])), command
    shell("python -m zipapp shop -o shop.pyz && rm -r shop")
    for command in ("CODESUTURE=1 python shop.pyz", "codesuture run shop.pyz"):
        done = shell(command)
        assert (done.returncode, done.stdout) == (0, HEALED.format([])), command


TESTS = """\
import pytest
from product import bio, price
def test_passes(): assert price({"price": 3}) == 3
def test_fails_for_the_missing_attribute(): assert bio(None) == "x"
def test_expects_the_crash():
    with pytest.raises(KeyError): price({})
def test_crashes_itself(): None.bio
@pytest.mark.xfail(strict=True)
def test_known_to_crash(): bio(None)
@pytest.fixture
def broken(): return price({})
def test_with_a_broken_fixture(broken): pass
"""


@pytest.mark.parametrize("command", ["python -m pytest", "codesuture run -m pytest"])
def test_tests_keep_their_outcome_under_the_agent(shell, tmp_path, command):
    (tmp_path / "test_product.py").write_text(TESTS)
    (tmp_path / "product.py").write_text(
        "def bio(user): return user.bio\ndef price(row): return row['price']\n"
    )
    arguments = "-q -rA --tb=no -p no:cacheprovider test_product.py"
    plain = shell(f"python -m pytest {arguments}")
    healed = shell(f"{command} {arguments}", CODESUTURE="1")
    assert healed.returncode == plain.returncode == 1

    def verdicts(done):
        return [line.split(" - ")[0] for line in done.stdout.splitlines() if "::" in line]

    assert verdicts(healed) == verdicts(plain)
    assert len(verdicts(plain)) == 6
    assert not (tmp_path / ".codesuture_store").exists()


def test_a_store_that_cannot_be_used_is_told_once(shell, tmp_path):
    """Here a file has its name; the program is healed nevertheless."""
    (tmp_path / ".codesuture_store").write_text("mine")
    done = shell("python app.py", CODESUTURE="1")
    assert (done.returncode, done.stdout) == (0, HEALED.format([]))
    assert blocks(done.stderr) == 2
    assert done.stderr.count("is not a folder") == 1
    assert (tmp_path / ".codesuture_store").read_text() == "mine"


def test_commands_of_codesuture_are_not_programs_to_heal(shell, tmp_path):
    """With the agent on, a wrong configuration is told once, by the command itself."""
    (tmp_path / "codesuture.toml").write_text("tttl = 3\n")
    for command in ("codesuture audit", "python -m codesuture audit", "python -mcodesuture audit"):
        done = shell(command, CODESUTURE="1")
        assert done.returncode == 2
        assert done.stderr.splitlines()[1:] == ["hint: did you mean 'ttl'?"], command


def test_a_working_directory_that_is_gone(shell, tmp_path):
    gone = "mkdir gone && cd gone && rmdir ../gone && "
    for command in ("audit", "status", "run ../app.py", "config"):
        done = shell(f"{gone}codesuture {command}")
        assert done.returncode == 1
        assert done.stderr == "error: the working directory does not exist any more\n", command
    done = shell(f"{gone}codesuture doctor")
    assert done.returncode == 1 and "Errno" not in done.stdout + done.stderr
    assert "wrong Configuration the working directory does not exist any more" in done.stdout
    done = shell(f"{gone}python {tmp_path}/app.py", CODESUTURE="1")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "[CodeSuture] not active: the working directory does not exist any more\nTraceback"
    )


def test_no_home_and_an_empty_environment(shell, tmp_path):
    done = shell(f"env -i {shlex.quote(sys.executable)} -c 'pass' && env -u HOME python app.py",
                 CODESUTURE="1")  # fmt: skip
    assert (done.returncode, done.stdout) == (0, HEALED.format([]))
    done = shell("here=$(command -v codesuture) && env -i $here run app.py")
    assert (done.returncode, done.stdout) == (0, HEALED.format([]))
    assert shell("HOME=/nonexistent codesuture audit").returncode == 0
