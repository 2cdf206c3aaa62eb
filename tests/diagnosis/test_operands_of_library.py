"""Operands of the sites of many standard library modules, compared with their source."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from types import CodeType

import pytest

from codesuture.diagnosis.expression import UNKNOWN, Expression
from codesuture.diagnosis.listing import Listing
from codesuture.diagnosis.operands import arrange, machine_before
from codesuture.surgery.opcodes import NAMES
from codesuture.surgery.sites import Site, sites_of

MODULES = [
    "argparse", "ast", "asyncio.base_events", "calendar", "collections", "configparser",
    "contextlib", "csv", "dataclasses", "_pydecimal", "difflib", "doctest",
    "email.message", "enum", "fractions", "functools", "http.client", "http.server", "inspect",
    "json.decoder", "logging", "logging.handlers", "mailbox", "multiprocessing.pool", "pickle",
    "pdb", "platform", "random", "shutil", "socket", "ssl", "statistics", "subprocess", "tarfile",
    "tempfile", "threading", "traceback", "typing", "unittest.mock", "urllib.request",
    "xml.dom.minidom", "zipfile",
]  # fmt: skip
KINDS: dict[str, type[ast.AST]] = {
    "load_attribute": ast.Attribute, "store_attribute": ast.Attribute, "subscript": ast.Subscript,
    "binary": ast.BinOp, "call": ast.Call, "compare": ast.Compare, "contains": ast.Compare,
    "negate": ast.UnaryOp,
}  # fmt: skip


def source_of(module: str) -> str:
    found = importlib.util.find_spec(module)
    assert found is not None and found.origin is not None
    with open(found.origin, encoding="utf-8") as file:
        return file.read()


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if type(constant) is CodeType:
            yield from codes(constant)


def sites(module: str) -> Iterator[tuple[Listing, Site]]:
    top = compile(source_of(module), module, "exec", dont_inherit=True)
    for code in codes(top):
        listing = Listing(code)
        for site in sites_of(code):
            yield listing, site


def operands(listing: Listing, site: Site) -> list[Expression]:
    """Without the net that ``operands_of`` puts beneath."""
    return arrange(site, machine_before(listing, site.ordinal, site.depth)).expressions


@pytest.mark.parametrize("module", MODULES)
def test_every_site_has_its_operands(module: str) -> None:
    known = seen = 0
    for listing, site in sites(module):
        machine = machine_before(listing, site.ordinal, site.depth)
        assert len(machine.stack) == site.depth + site.operands
        found = arrange(site, machine)
        for expression in (*found.expressions, *found.keywords.values()):
            assert 1 <= len(expression.text()) <= 120
            assert expression.depth < 60
            seen += 1
            known += expression is not UNKNOWN
        arguments = len(found.expressions) + len(found.keywords)
        expected = {
            "slice": 2, "store_slice": 3, "load_super_attribute": 1, "enter": 1, "enter_async": 1,
        }.get(site.operation, site.operands)  # fmt: skip
        if site.operation != "call":
            assert arguments == expected
        elif NAMES[site.code] != "CALL_FUNCTION_EX":
            assert site.argument + 1 <= arguments <= site.argument + 2
    assert known > 0.85 * seen


@pytest.mark.parametrize("module", MODULES)
def test_variables_stand_in_the_slots_of_the_frame(module: str) -> None:
    for code in codes(compile(source_of(module), module, "exec", dont_inherit=True)):
        names = Listing(code).variables
        assert names == tuple(code._varname_from_oparg(slot) for slot in range(len(names)))


def is_plain(node: ast.AST) -> bool:
    """Whether bytecode tells the node exactly as ``ast.unparse`` writes it."""
    if isinstance(node, ast.Name):
        return not node.id.startswith("__")
    if isinstance(node, ast.Attribute):
        return is_plain(node.value) and not node.attr.startswith("__")
    if isinstance(node, ast.Subscript):
        return is_plain(node.value) and is_plain(node.slice)
    if isinstance(node, ast.Call):
        return is_plain(node.func) and all(map(is_plain, node.args)) and not node.keywords
    if isinstance(node, ast.Constant):
        short = type(node.value) is str and len(node.value) < 30
        return short or type(node.value) is int
    return False


def parts(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Subscript):
        return [node.value, node.slice]
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Call):
        return [node.func, *node.args]
    assert isinstance(node, ast.Attribute)
    return [node.value]


def compared(module: str) -> Iterator[tuple[list[str], list[str], int | None]]:
    """Operands' texts by bytecode and by source, and the line, where the source is plain."""
    positions = "lineno", "end_lineno", "col_offset", "end_col_offset"
    nodes = {
        (type(node), *(getattr(node, name) for name in positions)): node
        for node in ast.walk(ast.parse(source_of(module)))
        if isinstance(node, tuple(KINDS.values()))
    }
    done = set()
    for listing, site in sites(module):
        place = list(listing.code.co_positions())[site.offset // 2]
        key = KINDS.get(site.operation), *place
        # Decorators and ``with`` have further calls at the place of the call that they apply to.
        if key not in nodes or (listing.code, key) in done:
            continue
        done.add((listing.code, key))
        node = nodes[key]
        chained = isinstance(node, ast.Compare) and len(node.comparators) > 1
        unpacked = isinstance(node, ast.Call) and any(part.arg is None for part in node.keywords)
        if chained or unpacked or not all(map(is_plain, parts(node))):
            continue
        texts = [expression.text() for expression in operands(listing, site)]
        if site.operation == "store_attribute":
            del texts[0]
        yield texts, [ast.unparse(part) for part in parts(node)], place[0]


def test_operands_read_as_the_source_does() -> None:
    total = unknown = 0
    wrong = []
    for module in MODULES:
        for texts, source, line in compared(module):
            total += 1
            if any(text == UNKNOWN.text() for text in texts):
                unknown += 1
            elif texts != source and all(len(text) <= 120 for text in source):
                wrong.append((module, line, texts, source))
    assert not wrong
    assert total > 10_000
    assert unknown < total / 1000
