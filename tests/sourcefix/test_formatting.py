"""What `suggest --apply` leaves as it is, and how it writes what it adds."""

from __future__ import annotations

import pytest

from .conftest import Project, run

_PLAIN = 'def f(p):\n    # é €\n    return "é", p.bio, [\n        p.bio2]\n\nf(None)'

#: Files in which ` if p is not None else None` is inserted twice, and nothing else changes.
INSERTED = {
    "plain": _PLAIN.encode(),
    "crlf": _PLAIN.replace("\n", "\r\n").encode(),
    "cr": _PLAIN.replace("\n", "\r").encode(),
    "bom": b"\xef\xbb\xbf" + _PLAIN.encode(),
    "pep263": ("# coding: iso-8859-15\n" + _PLAIN).encode("iso-8859-15"),
    "tabs": _PLAIN.replace("    ", "\t").encode(),
    "form_feed": _PLAIN.replace("    return", "\f    return").encode(),
    "trailing": (_PLAIN + "  \n\n\n").replace("p.bio,", "p . bio ,").encode(),
    "mixed": b"def f(p):\r\n  x = 'a'\n  return x, p.bio, p.bio2\rf(None)\n",
}

#: Files as they are, and as they become.
CHANGED = {
    "crlf_tabs": (
        "import os\r\ndef f(n):\r\n\tif n:\r\n\t\tx = int(n)  # n\r\n\t\treturn x\r\nf('x')",
        "import os\r\ndef f(n):\r\n\tif n:\r\n\t\ttry:\r\n\t\t\tx = int(n)  # n\r\n"
        "\t\texcept ValueError:\r\n\t\t\tx = 0\r\n\t\treturn x\r\nf('x')",
    ),
    "no_last_end": (
        "rows = ['x']\nn = int(rows[0])",
        "rows = ['x']\nvalue = rows[0]\ntry:\n    n = int(value)\nexcept ValueError:\n    n = 0",
    ),
    "imports": (
        '"""About."""\nfrom __future__ import annotations\n\nimport sys\n\n\n'
        "def read(name):\n    with open(name) as file:\n        return file.read()\n\n\n"
        "def enter(lock):\n    with lock:\n        return 1\n\n\nread('no'), enter(None)\n",
        '"""About."""\nfrom __future__ import annotations\n\nimport sys\n'
        "from contextlib import nullcontext\nimport io\n\n\n"
        "def read(name):\n    try:\n        file_2 = open(name)\n    except FileNotFoundError:\n"
        "        file_2 = io.StringIO()\n    with file_2 as file:\n        return file.read()\n\n\n"
        "def enter(lock):\n    with lock if lock is not None else nullcontext():\n"
        "        return 1\n\n\nread('no'), enter(None)\n",
    ),
    "prints_itself": (
        "def f(p):\n    return f'{p.bio=}'\nf(None)\n",
        "def f(p):\n    return f'{p.bio=}'\nf(None)\n",
    ),
    "twins": (
        "one = lambda p: p.bio\ntwo = lambda p: p.bio\ntwo(None)\n",
        "one = lambda p: p.bio\ntwo = lambda p: p.bio if p is not None else None\ntwo(None)\n",
    ),
    "comments": (
        "#!/usr/bin/python\n# coding: utf-8\n# about f\ndef f(rows):  # all\n"
        "    return [int(row) for row in rows]  # none\nf('x')\n",
        "#!/usr/bin/python\n# coding: utf-8\ndef int_or_default(row):\n    try:\n"
        "        return int(row)\n    except ValueError:\n        return 0\n\n\n"
        "# about f\ndef f(rows):  # all\n"
        "    return [int_or_default(row) for row in rows]  # none\nf('x')\n",
    ),
    "together": (
        "def f(p, rows):\n    while p.bio and rows:\n        rows.pop()\n"
        "    for x, y in p.rows:\n        print(x, y)\n    p.count += p.n\n"
        "    return int(rows['n']) / int(p.n or '0')\n\n\ndef g(t):\n    return t[0].x\n\n\n"
        "f(None, {})\ng([])\n",
        "def quotient_or_default(n, value):\n    return n / value if value else 0.0\n\n\n"
        "def f(p, rows):\n    while (p.bio if p is not None else None) and rows:\n"
        "        rows.pop()\n"
        "    for x, y in p.rows if p is not None else ():\n        print(x, y)\n"
        "    if p is not None:\n        p.count += p.n if p is not None else 0\n"
        "    return quotient_or_default(int(rows.get('n', 0)), "
        "int((p.n if p is not None else None) or '0'))\n\n\n"
        "def g(t):\n    try:\n        return t[0].x\n"
        "    except (AttributeError, LookupError, TypeError):\n        return None\n\n\n"
        "f(None, {})\ng([])\n",
    ),
    "names_taken": (
        "value = 1\ndef f(give):\n    profile = 2\n    return give().bio, value, profile\n"
        "f(lambda: None)\n",
        "value = 1\ndef f(give):\n    profile = 2\n"
        "    return give_2.bio if (give_2 := give()) is not None else None, value, profile\n"
        "f(lambda: None)\n",
    ),
}


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of all these files, healed, and with the changes applied."""
    project = Project(tmp_path_factory.mktemp("formatting"))
    for name, content in INSERTED.items():
        project.write(content, f"{name}.py")
    for name, (before, _) in CHANGED.items():
        project.write(before, f"real/{name}.py")
        (project.folder / f"{name}.py").symlink_to(project.folder / "real" / f"{name}.py")
    names = [*INSERTED, *CHANGED]
    project.write("".join(f"import {name}\n" for name in names))
    project.heal()
    project.apply()
    return project


@pytest.mark.parametrize("name", INSERTED)
def test_every_other_byte_stays(applied: Project, name: str) -> None:
    changed = (applied.folder / f"{name}.py").read_bytes()
    inserted = b" if p is not None else None"
    assert changed.count(inserted) == 2
    assert changed.replace(inserted, b"") == INSERTED[name]


@pytest.mark.parametrize("name", CHANGED)
def test_what_is_added_is_like_the_rest(applied: Project, name: str) -> None:
    assert (applied.folder / f"{name}.py").is_symlink()
    assert (applied.folder / f"{name}.py").read_bytes().decode() == CHANGED[name][1]


def test_all_of_them_run_without_codesuture(applied: Project) -> None:
    names = [name for name in (*INSERTED, *CHANGED) if name != "prints_itself"]
    done = run("-c", "import " + ", ".join(names), cwd=applied.folder)
    assert (done.returncode, done.stderr) == (0, "")
