"""What `explain` says beyond the patch itself: where the value goes, who calls, what to change."""

from __future__ import annotations

from codesuture.cli.source import code_of, codes_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.cli.patches import Entry
    from codesuture.downstream.follow import Reach
    from codesuture.sourcefix.document import Document

#: The files that one command has read, by path.
_documents: dict[str, Document] = {}


def reach_of(entry: Entry, root: str) -> Reach | None:
    """Where the patch's value goes; None where its code is not there, or not understood."""
    from codesuture.downstream.follow import reach

    code = code_of(entry.patch, root)
    if code is None:
        return None
    codes = codes_in(entry.patch, root)
    return reach(code, entry.patch.ordinal, entry.choice.recipe, codes)


def callers(entry: Entry, root: str) -> list[tuple[str, int]]:
    """The functions of the file that call the one that crashed, with the lines."""
    from codesuture.downstream.follow import callers_of

    code = code_of(entry.patch, root)
    return [] if code is None else callers_of(code, codes_in(entry.patch, root))


def change_of(entry: Entry, root: str) -> list[str] | None:
    """The lines of the suggested change that differ; none where there is no change.

    None where the package libcst is absent, which would make one.
    """
    try:
        from codesuture.sourcefix.suggestion import suggest
    except ImportError:
        return None
    [made] = suggest([entry], root, False, _documents)
    lines = made.diff.split("\n") if not made.reason else []
    return [line for line in lines if line[:1] in ("+", "-") and line[:3] not in ("+++", "---")]


def ahead(entry: Entry, root: str) -> dict[str, object]:
    """The same for `--json`."""
    found = reach_of(entry, root)
    return {
        "reach": {
            "verdict": found.verdict,
            "summary": found.summary,
            "steps": [step.to_json() for step in found.steps],
        }
        if found is not None
        else None,
        "callers": [{"function": name, "line": line} for name, line in callers(entry, root)],
        "change": change_of(entry, root),
    }
