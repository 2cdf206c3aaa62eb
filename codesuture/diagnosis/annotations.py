"""What annotations say about a value, read without evaluating any of them.

An annotation becomes text (``str``, ``list[int]``, ``Profile | None``): from the objects that
Python 3.13 and older evaluated when the function or class was made, from strings, and from 3.14
on (PEP 649) from the bytecode of ``__annotate__``, run on expressions instead of values.
"""

from __future__ import annotations

from types import CodeType, FunctionType, GenericAlias, UnionType

from codesuture.diagnosis.expression import Constant
from codesuture.diagnosis.listing import listing_of
from codesuture.diagnosis.lookup import MISSING, attribute, instance_namespace, type_lookup
from codesuture.diagnosis.operands import machine_before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Any

    from codesuture.diagnosis.expression import Expression

MAX_TEXT = 400
MAX_NESTING = 5
_mro_of = type.__dict__["__mro__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__
_name_of = type.__dict__["__name__"].__get__


def annotation_text(annotation: object, nesting: int = MAX_NESTING) -> str:
    """An annotation that is an object already, as source; ``""`` where it is not plain."""
    kind = type(annotation)
    if kind is str:
        return annotation if len(annotation) <= MAX_TEXT else ""  # type: ignore[return-value, arg-type]
    if annotation is None or annotation is ...:
        return "None" if annotation is None else "..."
    if kind is type or type in _mro_of(kind):
        return "None" if annotation is type(None) else str(_name_of(annotation))
    if nesting == 0:
        return ""
    if kind is UnionType:
        return _joined(annotation.__args__, " | ", nesting)  # type: ignore[attr-defined]
    if kind is GenericAlias:
        origin = annotation_text(annotation.__origin__, nesting - 1)  # type: ignore[attr-defined]
        return f"{origin}[{_joined(annotation.__args__, ', ', nesting)}]"  # type: ignore[attr-defined]
    return _typing_text(annotation, nesting)


def _joined(arguments: tuple[object, ...], separator: str, nesting: int) -> str:
    return separator.join([annotation_text(argument, nesting - 1) for argument in arguments])


def _typing_text(annotation: object, nesting: int) -> str:
    """An object of the ``typing`` module, known by its plain instance attributes."""
    kind = type(annotation)
    if type_lookup(kind, "__module__") not in ("typing", "annotationlib"):
        return ""
    forward = attribute(annotation, "__forward_arg__")
    if type(forward) is str:
        return forward
    namespace = instance_namespace(annotation)
    if namespace is None:
        return ""
    arguments = namespace.get("__args__")
    name = namespace.get("_name")
    if type(arguments) is not tuple:
        return name if type(name) is str else ""
    origin = namespace.get("__origin__")
    if type(name) is not str or name == "Optional":
        name = annotation_text(origin, nesting - 1)
    if name in ("Union", ""):
        return _joined(arguments, " | ", nesting)
    return f"{name}[{_joined(arguments, ', ', nesting)}]"


# --- where annotations are kept ---------------------------------------------------------------


def function_annotation(function: FunctionType, name: str) -> str:
    """The annotation of a parameter, or of ``return``; ``""`` where there is none."""
    annotate = getattr(function, "__annotate__", None)  # PEP 649; only reads a field
    if annotate is None:
        return _from_mapping(function.__annotations__, name)
    return _from_annotate(annotate, name)


def class_annotation(owner: type, name: str) -> str:
    """The annotation of an attribute or a TypedDict's key, in the class or its bases."""
    for base in _mro_of(owner):
        found = _namespace_annotation(_namespace_of(base), name)
        if found:
            return found
    return ""


def module_annotation(namespace: dict[str, Any], name: str) -> str:
    """The annotation of a module's variable."""
    return _namespace_annotation(namespace, name)


def _namespace_annotation(namespace: Mapping[str, Any], name: str) -> str:
    for key in ("__annotations__", "__annotations_cache__"):
        mapping = namespace.get(key)
        if type(mapping) is dict and name in mapping:
            return annotation_text(mapping[name])
    for key in ("__annotate_func__", "__annotate__"):
        annotate = namespace.get(key)
        found = _from_annotate(annotate, name) if annotate is not None else ""
        if found:
            return found
    return ""


def _from_mapping(mapping: object, name: str) -> str:
    if type(mapping) is dict and name in mapping:
        return annotation_text(mapping[name])
    return ""


def _from_annotate(annotate: object, name: str) -> str:
    """What an ``__annotate__`` function would give for the name, by its bytecode."""
    if type(annotate) is not FunctionType:
        return ""
    if annotate.__code__.co_name == "__annotate__":
        found = read_annotate(annotate.__code__, name)
        if found:
            return found
    # typing makes a closure around the class's own function or mapping (TypedDict, NamedTuple).
    for cell in annotate.__closure__ or ():
        inner = _cell_contents(cell)
        found = _from_mapping(inner, name)
        if type(inner) is FunctionType and inner.__code__.co_name == "__annotate__":
            found = read_annotate(inner.__code__, name)
        if found:
            return found
    return ""


def _cell_contents(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None


def read_annotate(code: CodeType, name: str) -> str:
    """The text of the name's annotation in the code of an ``__annotate__`` function.

    It builds one mapping, or stores item by item (``Python/codegen.c``).
    """
    listing = listing_of(code)
    for ordinal, depth in enumerate(listing.depths):
        opcode = listing.opcode(ordinal)
        if depth is None or opcode not in ("STORE_SUBSCR", "BUILD_MAP"):
            continue
        argument = listing.instructions[ordinal][3]
        count = 3 if opcode == "STORE_SUBSCR" else 2 * argument
        values = machine_before(listing, ordinal, depth - count).take(count)
        keys, annotations = values[::2], values[1::2]
        if opcode == "STORE_SUBSCR":
            keys, annotations = values[2:], values[:1]
        for key, value in zip(keys, annotations, strict=True):
            if type(key) is Constant and key.value == name and value.is_known():
                return _expression_text(value)
    return ""


def _expression_text(value: Expression) -> str:
    if type(value) is Constant and type(value.value) is str:
        return value.value[:MAX_TEXT]
    return value.text()


# --- finding the function that runs -----------------------------------------------------------


def running_function(frame: FrameType) -> FunctionType | None:
    """The function whose code runs in the frame, found by its qualified name; None if hidden."""
    code = frame.f_code
    found: object = MISSING
    for part in code.co_qualname.split("."):
        if found is MISSING:
            found = frame.f_globals.get(part)
        elif type in _mro_of(type(found)):
            found = type_lookup(found, part)  # type: ignore[arg-type]
        else:
            return None
    return _with_code(found, code)


def _with_code(found: object, code: CodeType) -> FunctionType | None:
    for _ in range(MAX_NESTING):
        if type(found) in (staticmethod, classmethod):
            found = found.__func__  # type: ignore[attr-defined]
        elif type(found) is property:
            found = found.fget
        if type(found) is not FunctionType:
            return None
        if found.__code__ is code:
            return found
        found = found.__dict__.get("__wrapped__")
    return None


def parameter(code: CodeType, position: int, keyword: str = "") -> str:
    """The name of the parameter that a positional (or keyword) argument reaches."""
    if keyword:
        return keyword
    if 0 <= position < code.co_argcount:
        return code.co_varnames[position]
    return ""


def class_named(text: str, namespace: Mapping[str, Any]) -> type | None:
    """The class that an annotation names, by a plain name in the module's namespace."""
    found = namespace.get(text.strip("'\""))
    return found if type in _mro_of(type(found)) else None
