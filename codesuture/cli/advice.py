"""How a person mends in the source what a guard bridges, one sentence per guard."""

from __future__ import annotations

_ADVICE = {
    "null_guard": "Find out why {target} is None, or check it before its attribute is used.",
    "key_guard": "Use .get() with a default for {target}, or make sure that the key is there.",
    "subscript_guard": "Find out why {target} is None, or check it before it is subscripted.",
    "chain_subscript_guard": "Check each step of {target}, or validate the data where it comes in.",
    "index_guard": "Check the length before {target} is indexed.",
    "list_bound_guard": "Check that {target} has as many elements as are taken from it.",
    "type_coercion_guard": "Validate the text before {target} converts it, and decide what bad "
    "input means.",
    "division_guard": "Decide what {target} means when the divisor is zero, and write it down.",
    "str_coerce_guard": "Convert explicitly, with str() or an f-string, in {target}.",
    "file_guard": "Check that the file of {target} exists, or handle FileNotFoundError.",
    "callable_guard": "Find out why {target} is None, or check it before it is called.",
    "attribute_guard": "Correct the attribute's name in {target}, or give the object one.",
    "iteration_guard": "Find out why {target} cannot be iterated; `or ()` says that none means "
    "empty.",
    "length_guard": "Find out why {target} has no length, or check it first.",
    "unpack_guard": "Find out why {target} cannot be unpacked, or check it first.",
    "membership_guard": "Find out why {target} cannot be searched, or check it first.",
    "none_operand_guard": "Find out why {target} is None, or decide what it means here.",
    "operand_guard": "Convert {target} to the type that the operation needs, where it comes in.",
    "context_manager_guard": "Find out why {target} is None; `contextlib.nullcontext()` stands for "
    "none.",
    "await_guard": "Find out why {target} is None; a function that is awaited must be async.",
    "argument_guard": "Check the arguments of {target} before the call.",
    "lookup_guard": "Give {target} a default, or check that there is something to find.",
    "format_guard": "Make the format fit the value in {target}, or convert the value first.",
}
_OTHERS = "Handle the case in the source where {target} is computed."


def advice_for(guard: str, target: str) -> str:
    """The sentence for a guard, with the expression that crashed in it."""
    return _ADVICE.get(guard, _OTHERS).format(target=f"`{target}`" if target else "the value")
