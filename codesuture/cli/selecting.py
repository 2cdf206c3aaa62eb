"""Which patches and proofs a name on the command line means."""

from __future__ import annotations

from typing import Protocol, TypeVar

from codesuture.cli.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from codesuture.store import Patch, Proof


class Item(Protocol):
    """A patch or a proof, as the commands look at it."""

    @property
    def document(self) -> Patch | Proof: ...


T = TypeVar("T", bound=Item)


def select(entries: Sequence[T], name: str) -> list[T]:
    """Those of the one function (or the one with the id) that `name` means.

    A name is, in this order, `module:qualname`, an id, a qualified name, a module's name
    (its module-level code), a bare name. Failure with the candidates when it means no function
    (exit code 1) or several (2).
    """
    rules: tuple[Callable[[Patch | Proof], bool], ...] = (
        lambda one: one.name == name,
        lambda one: one.id == name,
        lambda one: one.qualname == name,
        lambda one: one.module == name and one.qualname == "<module>",
        lambda one: one.qualname.rpartition(".")[2] == name,
    )
    for rule in rules:
        found = [entry for entry in entries if rule(entry.document)]
        if found:
            _refuse_several(found, name)
            return found
    raise _not_there(entries, name)


def _refuse_several(found: Sequence[Item], name: str) -> None:
    places = _places(found)
    if len(places) > 1:
        raise Failure(
            f"{name!r} is ambiguous: {len(places)} functions with patches have that name",
            *(f"one of them is {place}" for place in places),
            code=2,
        )


def _not_there(entries: Sequence[Item], name: str) -> Failure:
    if not entries:
        return Failure(f"there is no patch for {name!r}: the store is empty")
    from difflib import get_close_matches

    spellings: dict[str, str] = {}
    for entry in entries:
        spellings[entry.document.qualname.rpartition(".")[2]] = entry.document.name
        spellings[entry.document.qualname] = entry.document.name
        spellings[entry.document.name] = entry.document.name
    near = dict.fromkeys(spellings[word] for word in get_close_matches(name, spellings, n=3))
    hints = [f"did you mean {place}?" for place in near]
    hints = hints or [f"there is one for {place}" for place in _places(entries)[:10]]
    return Failure(f"there is no patch for {name!r}", *hints)


def _places(entries: Sequence[Item]) -> list[str]:
    return list(dict.fromkeys(entry.document.name for entry in entries))
