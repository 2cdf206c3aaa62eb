"""Putting new code in the place of old code, wherever that is referred to, and taking it back.

A function gets its code by assignment, which its callers never notice: what runs goes on in the old
code, the next call runs the new one. CPython calls such a function a few percent slower from then
on (docs/benchmarks.md), so this is only for functions that have crashed, and for programs that
switch codesuture on by hand.

Code that has the old code among its constants is replaced as well, and so on outwards: what it
defines from now on has the new code.
"""

from __future__ import annotations

import os
from _thread import RLock
from types import CodeType

from codesuture.live.references import References
from codesuture.once import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType

    #: Code that is to be there instead; None where this very code stays.
    Instead = Callable[[FunctionType, CodeType], CodeType | None]

#: One replacement, or one undoing, at a time.
_lock = RLock()


class Swap:
    """One pass over all functions that are alive, in which code is replaced.

    ``instead`` is asked for the code of each function whose file ``is_wanted``, and for the code
    inside its constants. ``functions`` counts those that were given other code; ``direct`` those
    of them whose own code was replaced, not only what they define; ``running`` the frames and
    generators that are alive in code that ``is_old``, and finish in it.
    """

    def __init__(self, instead: Instead) -> None:
        self.functions = 0
        self.direct = 0
        self.running = 0
        #: What was made for which code; both are kept, so that their addresses stay their own.
        self.made: dict[int, tuple[CodeType, CodeType]] = {}
        self._direct: set[int] = set()
        self._instead = instead

    def run(
        self, is_wanted: Callable[[CodeType], bool], is_old: Callable[[CodeType], bool]
    ) -> bool:
        """Do it; False where another thread is at it for too long."""
        if not _lock.acquire(timeout=PATIENCE):
            return False
        try:
            found = References(is_wanted, is_old)
            self.running = found.running
            for function in found.functions:
                code = function.__code__
                new = self._code_for(function, code)
                if new is not code:
                    function.__code__ = new
                    self.functions += 1
                    self.direct += id(code) in self._direct
        finally:
            _lock.release()
        return True

    def _code_for(self, function: FunctionType, code: CodeType) -> CodeType:
        known = self.made.get(id(code))
        if known is None:
            new = self._instead(function, code)
            if new is None:
                new = self._with_constants(function, code)
            else:
                self._direct.add(id(code))
            known = self.made[id(code)] = (code, new)
        return known[1]

    def _with_constants(self, function: FunctionType, code: CodeType) -> CodeType:
        constants = tuple(
            self._code_for(function, one) if type(one) is CodeType else one
            for one in code.co_consts
        )
        if all(new is old for new, old in zip(constants, code.co_consts, strict=True)):
            return code
        return code.replace(co_consts=constants)


class Replacement:
    """``new`` code in the place of ``old``: done by ``apply``, taken back by ``undo``.

    ``functions`` were given the new code, ``enclosing`` define such functions, and ``running``
    frames and generators were alive in the old code and finish in it.
    """

    def __init__(self, old: CodeType, new: CodeType) -> None:
        """Raises ValueError where a function could not have ``new`` in the place of ``old``."""
        if old.co_freevars != new.co_freevars:
            raise ValueError("the patched code has other free variables than the function")
        self.old = old
        self.new = new
        self.functions = 0
        self.enclosing = 0
        self.running = 0
        self.is_undone = False
        #: Code that was made because its constants had to change: what it was before.
        self._before: dict[int, tuple[CodeType, CodeType]] = {}

    def apply(self) -> bool:
        """Replace it in all functions that are alive; may be done again for those made since.

        False where it was taken back, or another thread is at it for too long.
        """
        if self.is_undone:
            return False
        swap = Swap(lambda function, code: self.new if self._is_old(code) else None)
        if not swap.run(self._is_near, self._is_old):
            return False
        self.functions += swap.direct
        self.enclosing += swap.functions - swap.direct
        self.running = swap.running
        self._before.update(
            (id(new), (new, old)) for old, new in swap.made.values() if new is not old
        )
        return True

    def undo(self) -> bool:
        """Have all of it as it was, also in functions that were made since; False like ``apply``.

        A function that somebody gave other code meanwhile keeps that.
        """
        if self.is_undone:
            return False
        self.is_undone = True
        _retired[id(self.new)] = self.new
        return Swap(self._former).run(self._is_near, self._is_new)

    def _former(self, function: FunctionType, code: CodeType) -> CodeType | None:
        if code is self.new:
            return self.old
        known = self._before.get(id(code))
        return None if known is None else known[1]

    def _is_old(self, code: CodeType) -> bool:
        """Whether it is the old code, or the very same made once more (``exec`` of one text)."""
        return code is self.old or (
            code.co_qualname == self.old.co_qualname
            and code.co_filename == self.old.co_filename
            and code == self.old
        )

    def _is_new(self, code: CodeType) -> bool:
        return code is self.new

    def _is_near(self, code: CodeType) -> bool:
        return code.co_filename == self.old.co_filename


#: Code that was taken back; what still runs it is not healed. Kept: its address stays its own.
_retired: dict[int, CodeType] = {}


def is_retired(code: CodeType) -> bool:
    """Whether its functions were given their former code back."""
    return id(code) in _retired


def after_fork() -> None:
    """In a child: another thread of the parent may have held the lock."""
    global _lock
    _lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)
