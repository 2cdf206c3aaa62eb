"""`codesuture suggest`: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

from jsonschema import Draft4Validator

from .conftest import Project, run

Healed = Callable[[str], Project]

APP = """\
def get_bio(profile):
    return profile.bio  # the bio


def get_email(user):
    return user["email"]


def ratio(a, b):
    return (a + get_bio(None), user_count(b))


def user_count(rows):
    return [int(row) for row in rows]


if __name__ == "__main__":
    print(get_bio(None), get_email({}), ratio("", "x1"))
"""
FIXED = """\
def get_bio(profile):
    return profile.bio if profile is not None else ""  # the bio


def get_email(user):
    return user.get("email", "")


def ratio(a, b):
    return (a + get_bio(None), user_count(b))


def int_or_default(row):
    try:
        return int(row)
    except ValueError:
        return 0


def user_count(rows):
    return [int_or_default(row) for row in rows]


if __name__ == "__main__":
    print(get_bio(None), get_email({}), ratio("", "x1"))
"""
# (git reads configuration from the home folder and from the system: neither counts here)
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words],
        cwd=folder, env={**os.environ, **GIT}, check=True, capture_output=True, encoding="utf-8",
    ).stdout  # fmt: skip


def test_a_diff_for_a_patch(healed: Healed) -> None:
    project = healed(APP)
    done = project.cli("suggest", "get_bio")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [
        "  `.bio` is read where there is something to read it from.",
        "  checked: compiles, and the incident's expression gives what was supplied",
        "  --- a/app.py",
        "  +++ b/app.py",
        "  @@ -1,5 +1,5 @@",
        "   def get_bio(profile):",
        "  -    return profile.bio  # the bio",
        '  +    return profile.bio if profile is not None else ""  # the bio',
        "   ",
        "   ",
        "   def get_email(user):",
    ]
    assert (project.folder / "app.py").read_text() == APP


def test_apply_writes_all_of_a_file_with_a_backup(healed: Healed) -> None:
    project = healed(APP)
    path = project.folder / "app.py"
    path.chmod(0o640)
    done = project.apply()
    assert path.read_text() == FIXED
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    [backup] = (project.folder / ".codesuture_store" / "backups").glob("app.py.*")
    assert backup.read_text() == APP
    assert f"Written: app.py, 3 changes. What it was is in {backup}" in done.stdout
    assert run("app.py", cwd=project.folder).stdout == "  ('', [0, 1])\n"
    assert sorted(os.listdir(project.folder)) == [".codesuture_store", "app.py"]
    states = [one["state"] for one in json.loads(project.cli("audit", "--json").stdout)["patches"]]
    assert not {"active", "persisted"} & set(states), states  # stale: their code has changed
    said = project.suggestions()
    assert {one["reason"] for one in said} == {
        "The code has changed since; the patch is stale, and no longer applied."
    }
    assert project.cli("suggest", "--apply").returncode == 0
    assert path.read_text() == FIXED


def test_the_diff_of_several_patches_is_one_that_git_applies(healed: Healed) -> None:
    project = healed(APP)
    git(project.folder, "init", "-q")
    git(project.folder, "add", "app.py")
    git(project.folder, "commit", "-qm", "all")
    done = project.cli("suggest", "--format", "diff")
    assert done.stdout.count("--- a/app.py") == 1
    (project.folder / "fix.diff").write_text(done.stdout)
    git(project.folder, "apply", "fix.diff")
    assert (project.folder / "app.py").read_text() == FIXED


def test_changes_that_are_not_committed_are_not_overwritten(healed: Healed) -> None:
    project = healed(APP)
    path = project.folder / "app.py"
    git(project.folder, "init", "-q")
    git(project.folder, "add", "app.py")
    git(project.folder, "commit", "-qm", "all")
    path.write_text(APP + "# mine\n")
    done = project.cli("suggest", "--apply", **GIT)
    assert done.returncode == 1
    assert "error: app.py has changes that are not committed" in done.stderr
    assert "hint: commit or stash them first" in done.stderr
    assert path.read_text() == APP + "# mine\n"
    git(project.folder, "commit", "-qam", "mine")
    project.apply("get_email")
    assert 'user.get("email", "")' in path.read_text()


def test_a_function_that_has_changed_gets_no_change(healed: Healed) -> None:
    project = healed(APP)
    changed = APP.replace("profile.bio  #", "profile.bio.strip()  #")
    project.write(changed)
    done = project.cli("suggest", "get_bio", "--apply")
    assert done.returncode == 1
    assert "Nothing to suggest: The code has changed since; the patch is stale" in done.stdout
    assert (project.folder / "app.py").read_text() == changed


def test_a_file_that_is_gone(healed: Healed) -> None:
    project = healed(APP)
    (project.folder / "app.py").unlink()
    done = project.cli("suggest", "get_bio")
    assert (done.returncode, "cannot be read" in done.stdout) == (1, True)


def test_names(healed: Healed) -> None:
    project = healed(APP)
    done = project.cli("suggest", "get_boi")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: there is no patch for 'get_boi'\nhint: did you mean app:get_bio?\n"
    )
    assert project.cli("suggest", "--format", "xml").returncode == 2


# --- verified by tests --------------------------------------------------------------------------

CHECK = """\
import os, sys
sys.path.insert(0, os.getcwd())
assert os.environ["CODESUTURE"] == "0"
import app
assert not os.path.exists(".codesuture_store")
print("tested", app.__file__)
assert app.{0}
"""


def test_tests_that_pass_make_it_verified(healed: Healed) -> None:
    project = healed(APP)
    check = CHECK.format("get_email({}) == '' and app.get_email({'email': 1}) == 1")
    project.write(check, "check.py")
    [said] = project.suggestions("get_email", "--test", "python3 check.py")
    assert said["state"] == "verified"
    assert (project.folder / "app.py").read_text() == APP
    done = project.cli("suggest", "get_email", "--test", "python3 check.py", "--apply")
    assert "  verified: the tests pass with it, without codesuture\n" in done.stdout
    assert 'user.get("email", "")' in (project.folder / "app.py").read_text()


def test_tests_that_fail_only_with_the_change(healed: Healed) -> None:
    project = healed(APP)
    project.write(CHECK.format("get_email.__code__.co_consts[-1] == 'email'"), "check.py")
    done = project.cli("suggest", "get_email", "--test", "python3 check.py", "--apply")
    assert done.returncode == 1
    assert "error: the tests fail with the change, and pass without it" in done.stderr
    assert "AssertionError" in done.stderr  # the last lines of what they said
    assert (project.folder / "app.py").read_text() == APP


def test_tests_that_fail_without_the_change_too(healed: Healed) -> None:
    project = healed(APP)
    project.write(CHECK.format("nothing"), "check.py")
    done = project.cli("suggest", "get_email", "--test", "python3 check.py")
    assert done.returncode == 1
    assert "error: the tests fail without the change as well" in done.stderr


# --- SARIF ----------------------------------------------------------------------------------------

#: The schema of OASIS, as it is in github.com/oasis-tcs/sarif-spec at e0583813964e,
#: sarif-2.1/schema/sarif-schema-2.1.0.json.
SCHEMA = Path(__file__).parent / "sarif-schema-2.1.0.json"


def test_sarif_is_valid_and_its_fixes_do_what_the_diff_does(healed: Healed) -> None:
    project = healed(APP.replace("\n", "\r\n").encode())
    done = project.cli("suggest", "--format", "sarif")
    report = json.loads(done.stdout)
    Draft4Validator(json.loads(SCHEMA.read_text())).validate(report)
    [made] = report["runs"]
    assert {rule["id"] for rule in made["tool"]["driver"]["rules"]} == {
        "null_guard", "key_guard", "type_coercion_guard"
    }  # fmt: skip
    lines = APP.split("\n")
    for result in made["results"]:
        [fix] = result["fixes"]
        [change] = fix["artifactChanges"]
        assert change["artifactLocation"] == {"uri": "app.py", "uriBaseId": "PROJECT"}
        text = APP
        for replacement in reversed(change["replacements"]):
            region = replacement["deletedRegion"]
            start, end = (
                sum(len(line) + 1 for line in lines[: region[f"{which}Line"] - 1])
                + region[f"{which}Column"] - 1
                for which in ("start", "end")
            )  # fmt: skip
            inserted = replacement["insertedContent"]["text"]
            assert "\n" not in inserted.replace("\r\n", "")
            text = text[:start] + inserted.replace("\r\n", "\n") + text[end:]
        added = {line for line in text.split("\n")} - set(lines)
        assert added and added <= set(FIXED.split("\n"))


def test_sarif_of_an_empty_store(project: Project) -> None:
    report = json.loads(project.cli("suggest", "--format", "sarif").stdout)
    Draft4Validator(json.loads(SCHEMA.read_text())).validate(report)
    assert report["runs"][0]["results"] == []


def test_without_libcst_a_sentence_names_the_extra(healed: Healed) -> None:
    project = healed(APP)
    project.write("raise ImportError('no')\n", "libcst.py")
    done = project.cli("suggest")
    assert done.returncode == 1
    assert done.stderr == (
        "error: suggesting source changes needs the package libcst\n"
        'hint: install it with: python -m pip install "codesuture[suggest]"\n'
    )
