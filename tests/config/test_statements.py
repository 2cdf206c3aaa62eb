"""Where statements of a TOML text stand."""

from __future__ import annotations

import pytest

from codesuture.config.statements import line_of, split, value_span

TEXT = '''# comment with = sign
a = 1
"b = c" = """
x = 2
[not.a.table]
"""
d."e.f" = [ # [x]
  "]", # ]
]
[ t . u ]
g = {h = 1}
[[list]]
i = 3
'''


def test_split() -> None:
    found = [(s.path, s.start, s.end, s.is_header) for s in split(TEXT)]
    assert found == [
        (("a",), 1, 2, False),
        (("b = c",), 2, 6, False),
        (("d", "e.f"), 6, 9, False),
        (("t", "u"), 9, 10, True),
        (("t", "u", "g"), 10, 11, False),
        (("list",), 11, 12, True),
        (("list", "i"), 12, 13, False),
    ]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("d", "e.f"), 7),
        (("t", "u", "g", "h"), 11),
        (("t", "u", "missing"), 10),
        (("nothing",), None),
    ],
)
def test_line_of(path: tuple[str, ...], line: int | None) -> None:
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("a = 1\n", "1"),
        ("a=1 # b = 2\n", "1"),
        ("'a=b' = '# no comment' # one\n", "'# no comment'"),
        ('a = "x#y"', '"x#y"'),
        ("a = [ # one\n 1,\n] # end\n", "[ # one\n 1,\n]"),
    ],
)
def test_value_span(statement: str, value: str) -> None:
    begin, end = value_span(statement)
    assert statement[begin:end] == value
