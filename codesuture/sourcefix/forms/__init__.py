"""Forms of changes: one rule for each guard."""

from __future__ import annotations

from codesuture.sourcefix.document import Unfit
from codesuture.sourcefix.forms import none, numbers, sequences, texts
from codesuture.sourcefix.forms.facts import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codesuture.defaults.recipe import Recipe
    from codesuture.sourcefix.placing import Place
    from codesuture.sourcefix.shapes import Change

FORMS: dict[str, Callable[[Facts], Change]] = {
    "chain_subscript_guard": sequences.chain_subscript_guard,
    "null_guard": none.null_guard,
    "key_guard": sequences.key_guard,
    "subscript_guard": none.subscript_guard,
    "index_guard": sequences.index_guard,
    "list_bound_guard": sequences.list_bound_guard,
    "type_coercion_guard": numbers.type_coercion_guard,
    "division_guard": numbers.division_guard,
    "str_coerce_guard": texts.str_coerce_guard,
    "file_guard": texts.file_guard,
    "callable_guard": none.callable_guard,
    "attribute_guard": none.attribute_guard,
    "iteration_guard": none.iteration_guard,
    "length_guard": none.length_guard,
    "none_operand_guard": numbers.none_operand_guard,
    "context_manager_guard": none.context_manager_guard,
    "await_guard": none.await_guard,
    "unpack_guard": sequences.unpacked,
    "membership_guard": none.membership_guard,
    "format_guard": texts.format_guard,
    "operand_guard": texts.operand_guard,
    "lookup_guard": sequences.lookup_guard,
    "argument_guard": texts.argument_guard,
    "call_guard": texts.call_guard,
}


def change_for(place: Place, default: Recipe) -> Change:
    """The change for a place; ``Unfit``, with a sentence, where there is none."""
    rule = FORMS.get(place.patch.guard)
    if rule is None:
        raise Unfit(f"How {place.patch.guard} is expressed in source is not known.")
    return rule(Facts(place, default))
