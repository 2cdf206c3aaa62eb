"""Changes for numbers: division by zero, ``None`` in arithmetic, conversions of bad input."""

from __future__ import annotations

import libcst as cst

from codesuture.sourcefix import shapes
from codesuture.sourcefix.document import Unfit
from codesuture.sourcefix.forms.facts import VALUES, Facts, arguments_of, escaped
from codesuture.sourcefix.forms.sequences import tried
from codesuture.sourcefix.operands import Operand
from codesuture.sourcefix.placing import shown
from codesuture.sourcefix.shapes import Change, Samples

_ODD = "The source has another form here than is known."
_SIGNS: dict[type[cst.CSTNode], str] = {
    cst.Divide: "/", cst.FloorDivide: "//", cst.Modulo: "%", cst.Add: "+", cst.Subtract: "-",
    cst.Multiply: "*", cst.BitOr: "|", cst.BitXor: "^", cst.BitAnd: "&", cst.Power: "**",
    cst.LeftShift: "<<", cst.RightShift: ">>", cst.MatrixMultiply: "@",
    cst.DivideAssign: "/", cst.FloorDivideAssign: "//", cst.ModuloAssign: "%",
    cst.AddAssign: "+", cst.SubtractAssign: "-", cst.MultiplyAssign: "*", cst.BitOrAssign: "|",
    cst.BitXorAssign: "^", cst.BitAndAssign: "&", cst.PowerAssign: "**",
    cst.LeftShiftAssign: "<<", cst.RightShiftAssign: ">>", cst.MatrixMultiplyAssign: "@",
    cst.LessThan: "<", cst.LessThanEqual: "<=", cst.GreaterThan: ">", cst.GreaterThanEqual: ">=",
}  # fmt: skip
_NEUTRAL = {
    "int": "0", "float": "0", "bool": "0", "complex": "0", "decimal.Decimal": "0",
    "fractions.Fraction": "0", "Fraction": "0", "str": '""', "bytes": 'b""', "list": "[]",
    "tuple": "()", "set": "set()", "frozenset": "frozenset()", "dict": "{{}}",
}  # fmt: skip
_ZEROS = {
    "int": "0", "float": "0.0", "bool": "False", "complex": "0j",
    "decimal.Decimal": "__import__('decimal').Decimal(0)",
    "fractions.Fraction": "__import__('fractions').Fraction(0)",
}  # fmt: skip


def sign_of(node: cst.BinaryOperation | cst.AugAssign | cst.Comparison) -> str:
    """``+`` of ``a + b`` and of ``a += b``."""
    operator = node.comparisons[0].operator if isinstance(node, cst.Comparison) else node.operator
    return _SIGNS.get(type(operator), "")


def division_guard(facts: Facts) -> Change:
    """``total / count if count else 0.0``."""
    node = facts.node
    text = facts.text()
    sentence = "It is divided where the divisor is not zero."
    if isinstance(node, cst.AugAssign):
        return _divided_in_place(facts, node, text, sentence)
    if isinstance(node, cst.BinaryOperation):
        sign = sign_of(node)
        left, right = facts.operand(node.left), facts.operand(node.right)
        if sign == "**":
            return shapes.attempt(
                facts.place, node, [left, right], "{0} ** {1}", "ZeroDivisionError", text,
                "Where it cannot be computed, the default is used.",
                Samples(["0", "-1"], [["2", "3"], ["0", "2"]], facts.expected(text)),
            )  # fmt: skip
        made = f"{{0}} {sign} {{1}}"
        operands, template = [left, right], made
    elif isinstance(node, cst.Call) and facts.type(0) == "divmod" and len(node.args) == 2:
        operands, arguments, stars = arguments_of(facts, node)
        if stars or any(argument.keyword for argument in node.args):
            raise Unfit(_ODD)
        template = f"{facts.document.read(node.func)}({arguments})"
    elif isinstance(node, cst.Call):
        return tried(facts, node, "ZeroDivisionError", text, sentence)
    else:
        raise Unfit(_ODD)
    return shapes.conditional(
        facts.place, node, operands, "{1}", template, text, sentence,
        _division_samples(facts, len(facts.types) - 2, facts.expected(text)),
    )  # fmt: skip


def _division_samples(facts: Facts, first: int, expected: str) -> Samples | None:
    left, right = (facts.type(number) if number >= 0 else "" for number in (first, first + 1))
    if left not in VALUES or right not in _ZEROS:
        left, right = left if left in VALUES else "int", right if right in _ZEROS else "int"
        expected = ""
    lefts, rights = VALUES[left], VALUES[right]
    good = [[one, other] for one in lefts for other in rights]
    return Samples([lefts[0], _ZEROS[right]], good, expected)


def _divided_in_place(facts: Facts, node: cst.AugAssign, text: str, sentence: str) -> Change:
    statement = facts.statement()
    target = facts.operand(node.target)
    divisor = facts.operand(node.value)
    if not target.is_quiet:
        raise Unfit("The target is computed; give the object a variable of its own first.")
    if sign_of(node) == "**":
        raise Unfit("Test that the base is not zero before this statement.")
    samples = _division_samples(facts, 0, facts.expected(text)) if target.is_plain else None
    if samples is not None:
        order = [[good[1], good[0]] for good in samples.good]
        samples = Samples([samples.crash[1], samples.crash[0]], order, samples.expected)
    return shapes.guarded(
        facts.place, statement, [divisor, target] if target.is_plain else [divisor], "{0}",
        sentence, f"{_template(target)} = {text}", samples, target.text if samples else "",
    )  # fmt: skip


def _template(operand: Operand) -> str:
    return operand.text.replace("{", "{{").replace("}", "}}")


# --- None in arithmetic --------------------------------------------------------------------------


def none_operand_guard(facts: Facts) -> Change:
    """``total + (price if price is not None else 0)``; comparisons are false."""
    node = facts.node
    if isinstance(node, cst.UnaryOperation):
        return _unary(facts, node)
    if isinstance(node, cst.Comparison):
        return _compared(facts, node)
    if isinstance(node, cst.BinaryOperation):
        return _binary(facts, node)
    if isinstance(node, cst.AugAssign):
        return _in_place(facts, node)
    raise Unfit(_ODD)


def _none(facts: Facts) -> int:
    """Which operand was None."""
    if "NoneType" in facts.types[:2]:
        return facts.types.index("NoneType")
    return 0 if facts.type(0) == "NoneType" else 1


def _unary(facts: Facts, node: cst.UnaryOperation) -> Change:
    operand = facts.operand(node.expression)
    start, _ = facts.document.span(node)
    sign = facts.document.text[start]
    text = facts.text()
    return shapes.conditional(
        facts.place, node, [operand], "{0} is not None", sign + "{0}", text,
        "It counts where it is not None.",
        Samples(["None"], [["7"], ["-3"]], facts.expected(text)),
    )  # fmt: skip


def _compared(facts: Facts, node: cst.Comparison) -> Change:
    if facts.default.kind != "constant" or facts.default.value is not False:
        raise Unfit("A comparison with another default than False has no short form.")
    if len(node.comparisons) > 1:
        return _chained(facts, node)
    operands = [facts.operand(node.left), facts.operand(node.comparisons[0].comparator)]
    number = _none(facts)
    sign = sign_of(node)
    if sign not in ("<", "<=", ">", ">="):
        raise Unfit(_ODD)
    known = facts.type(1 - number)
    samples = None
    if known in VALUES and known not in ("NoneType", "complex", "dict"):
        value = VALUES[known][0]
        crash = ["None", value] if number == 0 else [value, "None"]
        samples = Samples(crash, [[one, other] for one in VALUES[known] for other in VALUES[known]],
                          "False")  # fmt: skip
    return shapes.conditional(
        facts.place, node, operands, f"{{{number}}} is not None", f"{{0}} {sign} {{1}}", "False",
        "It is compared where it is not None, else it is false.", samples,
        template="{test} and {value}",
    )  # fmt: skip


def _chained(facts: Facts, node: cst.Comparison) -> Change:
    """``age is not None and 0 < age < 100``."""
    sides = [node.left, *(part.comparator for part in node.comparisons)]
    operands = [facts.operand(side) for side in sides]
    found = [
        number
        for number, operand in enumerate(operands)
        if shown(operand.text) == shown(facts.patch.target)
    ]
    if len(found) != 1 or not all(operand.is_quiet for operand in operands):
        raise Unfit("Which part of the chained comparison crashed cannot be told; split it.")
    value, at = "", facts.document.span(node)[0]
    for number, side in enumerate(sides):
        start, end = facts.document.span(side)
        value += escaped(facts.document.text[at:start]) + f"{{{number}}}"
        at = end
    return shapes.conditional(
        facts.place, node, operands, f"{{{found[0]}}} is not None", value, "False",
        "It is compared where it is not None, else it is false.",
        template="{test} and {value}",
    )  # fmt: skip


def _binary(facts: Facts, node: cst.BinaryOperation) -> Change:
    number = _none(facts)
    sides = [node.left, node.right]
    sign = sign_of(node)
    kept = facts.type(1 - number)
    if facts.default.kind == "compute":
        neutral = _neutral(facts, kept)
        value = VALUES[kept][0] if kept in VALUES else ""
        samples = None
        if value:
            frame = (
                f"return ({{}}) {sign} {value}" if number == 0 else f"return {value} {sign} ({{}})"
            )
            expected = value if number == 1 or sign != "-" else f"-({value})"
            if sign == "-" and kept in ("set", "frozenset") and number == 0:
                expected = ""
            samples = Samples(["None"], [[one] for one in VALUES[kept]], expected, frame)
        return shapes.conditional(
            facts.place, sides[number], [facts.operand(sides[number])], "{0} is not None", "{0}",
            neutral, "It counts as nothing where it is None.", samples,
        )  # fmt: skip
    text = facts.text()
    operands = [facts.operand(side) for side in sides]
    samples = None
    if kept in VALUES:
        value = VALUES[kept][0]
        crash = ["None", value] if number == 0 else [value, "None"]
        good = [[one, other] for one in VALUES[kept] for other in VALUES["int"]]
        samples = Samples(crash, good, facts.expected(text))
    return shapes.conditional(
        facts.place, node, operands, f"{{{number}}} is not None", f"{{0}} {sign} {{1}}", text,
        "It is computed where neither is None.", samples,
    )  # fmt: skip


def _neutral(facts: Facts, kept: str) -> str:
    if kept not in _NEUTRAL:
        raise Unfit("Which value would count as nothing here depends on the type of the other one.")
    return _NEUTRAL[kept].replace('"', facts.quote)


def _in_place(facts: Facts, node: cst.AugAssign) -> Change:
    statement = facts.statement()
    number = _none(facts)
    kept = facts.type(1 - number)
    target = facts.operand(node.target)
    value = facts.operand(node.value)
    if facts.default.kind == "compute" and number == 1:
        return shapes.conditional(
            facts.place, node.value, [value], "{0} is not None", "{0}", _neutral(facts, kept),
            "It counts as nothing where it is None.",
        )  # fmt: skip
    if not target.is_plain or not value.is_quiet:
        raise Unfit(f"Test `{facts.patch.target}` for None before this statement.")
    if facts.default.kind == "compute":
        neutral = _neutral(facts, kept).replace("{{}}", "{}")
        return shapes.before(
            facts.place, statement, [f"if {target.text} is None:", f"\t{target.text} = {neutral}"],
            "It begins with nothing where it is None.",
        )  # fmt: skip
    operand = target if number == 0 else value
    return shapes.guarded(
        facts.place, statement, [operand], "{0} is not None",
        "It is computed where neither is None.", f"{_template(target)} = {facts.text()}",
    )  # fmt: skip


# --- conversions -------------------------------------------------------------------------------

#: What an argument that cannot be converted looks like, and some that can.
_CONVERSIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "int": ("'12 apples'", ("'12'", "3", "2.5")),
    "float": ("'n/a'", ("'1.5'", "3")),
    "complex": ("'n/a'", ("'1j'",)),
    "decimal.Decimal": ("'n/a'", ("'1.5'", "3")),
    "fractions.Fraction": ("'n/a'", ("'1/3'", "3")),
    "datetime.date.fromisoformat": ("'soon'", ("'2026-11-25'",)),
    "datetime.datetime.fromisoformat": ("'soon'", ("'2026-11-25'",)),
    "datetime.time.fromisoformat": ("'soon'", ("'10:30'",)),
    "bytes.fromhex": ("'zz'", ("'00ff'",)),
    "float.fromhex": ("'zz'", ("'0x1p3'",)),
    "uuid.UUID": ("'zz'", ("'12345678123456781234567812345678'",)),
}  # fmt: skip


def type_coercion_guard(facts: Facts) -> Change:
    """The conversion in a ``try``: around the statement, or in a function."""
    call = facts.node
    if not isinstance(call, cst.Call):
        raise Unfit("It is called as a decorator or by a statement; no expression stands for it.")
    exception = facts.patch.exception
    if exception == "InvalidOperation":
        exception = "ArithmeticError"
    operands, arguments, stars = arguments_of(facts, call, 1)
    function: cst.BaseExpression = call.func
    owner = facts.operand(function)
    made = f"{{0}}({arguments})"
    if isinstance(function, cst.Attribute) and not owner.is_plain:
        owner = facts.operand(function.value)
        made = f"{{0}}.{function.attr.value}({arguments})"
    return shapes.attempt(
        facts.place, call, [owner, *operands], made, exception, facts.text(),
        f"Where the conversion raises {facts.patch.exception}, the default is used.",
        _conversion_samples(facts, call), stars,
    )  # fmt: skip


def _conversion_samples(facts: Facts, call: cst.Call) -> Samples | None:
    name = facts.type(0)
    known = _CONVERSIONS.get(name)
    if known is None or len(call.args) != 1 or call.args[0].star:
        return None
    bad, good = known
    if facts.type(1) == "NoneType":
        bad = "None"
    function = {"decimal.Decimal": "__import__('decimal').Decimal",
                "fractions.Fraction": "__import__('fractions').Fraction",
                "uuid.UUID": "__import__('uuid').UUID"}.get(name, name)  # fmt: skip
    if function.startswith("datetime."):
        function = f"__import__('datetime').{function.removeprefix('datetime.')}"
    return Samples(
        [function, bad], [[function, value] for value in good], facts.expected(facts.text())
    )
