"""What a supplied value can reach, and how that is said."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.expression import Expression

#: By kind: what is said of the value; ``{}`` is the place's own text, then file and line.
SENTENCES: dict[str, str] = {
    "return": "was returned by {} at {}",
    "yield": "was yielded by {} at {}",
    "attribute": "was stored in the attribute {} at {}",
    "global": "was stored in the global variable {} at {}",
    "closure": "was stored in {}, a variable of an enclosing function, at {}",
    "item": "was put into {} at {}",
    "file": "was written out by {} at {}",
    "socket": "was sent by {} at {}",
    "database": "was given to a database by {} at {}",
    "argument": "was passed to {} at {}, where it is not followed",
    "crash": "caused {} at {}",
}


class Reach:
    """One place that the value came to: ``kind`` as above, and ``what`` names the place."""

    __slots__ = ("kind", "line", "what")

    def __init__(self, kind: str, what: str, line: int) -> None:
        self.kind = kind
        self.what = what
        self.line = line


class CallUse:
    """What a call does with the followed value among its arguments.

    ``carries``: its result is made of the value; ``into``: it puts the value into this object.
    """

    __slots__ = ("carries", "into", "reach")

    def __init__(
        self, reach: Reach | None, carries: bool, into: Expression | None = None
    ) -> None:
        self.reach = reach
        self.carries = carries
        self.into = into
