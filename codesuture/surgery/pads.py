"""Landing pads: the out-of-line handlers that are appended behind untouched bytecode.

One pad serves all sites of a code object that have the same stack depth beneath their
operands and the same original handler. A pad is a head and a tree that leads to its sites; pads
with the same original handler share a tail (the stack is on the right, its top last)::

    entry:    PUSH_EXC_INFO                               kept, lasti, previous, exception
              exception matches the clause around → pass_on         (where that is plain to see;
                                                          not where ``site.through``)
              the file of exception.__traceback__.tb_next is armed
              → pass_on                                   (only where ``site.reaching``)
              exception.__traceback__.tb_next is not None
              → pass_on                                   (it only passes through this frame;
                                                          not where ``site.through``)
              result = __codesuture_recover__(exception, qualified name)
              result is not None → healed
              POP_TOP
    pass_on:  SWAP 2; POP_EXCEPT                          kept, lasti, exception
    reraise:  RERAISE 1                                   as if no pad were there
    healed:   SWAP 4; POP_TOP; POP_TOP; POP_EXCEPT        kept, result
    tree:     UNPACK_SEQUENCE                             kept, values, turn n, …, turn 1
              POP_JUMP_IF_TRUE…                           kept, values (one: itself; else a tuple)
    leaf:     UNPACK_SEQUENCE (or POP_TOP, where there    kept, the instruction's results
              are none; one is there already)
              PUSH_NULL…
                                                          (NULLs where it puts them itself:
                                                          a debugger's jump relies on that)
              JUMP_BACKWARD_NO_INTERRUPT → behind the site

    tail:     (the runtime itself raised)                 kept, lasti, previous, exception, fault
              fault.__traceback__ is None → last          (no memory was left for one)
              fault.__traceback__.tb_next is not None → theirs
    last:     POP_TOP; SWAP 2; POP_EXCEPT; RERAISE 1      (raised here: ours, dropped)
    theirs:   SWAP 2 → last                               (a signal handler's: it goes on)

Attributes are read by IMPORT_FROM, which is a plain ``getattr`` whatever the object is: it takes
2 bytes where LOAD_ATTR with its inline cache takes 20.

The runtime is reached by name, never by a constant object: armed code can be marshalled, and where
codesuture does not run there is no such name, the fault is dropped and the exception goes on. The
name is one of ``builtins``: LOAD_GLOBAL takes a tenth of the time that an import takes.
"""

from __future__ import annotations

from codesuture.surgery.instructions import decode
from codesuture.surgery.names import PAD_NAMES
from codesuture.surgery.opcodes import (
    CACHES,
    CALL_SEQUENCE,
    EXTENDED_ARG,
    JUMP_IF_NONE,
    JUMP_IF_NOT_NONE,
    JUMP_IF_TRUE,
    NAME_SHIFTS,
    NULL_ABOVE_CALLABLE,
    OPMAP,
)
from codesuture.surgery.sites import tree_height

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.surgery.instructions import Entry
    from codesuture.surgery.sites import Exit

#: How many constants armed code has before its seal.
PAD_CONSTANTS = 1

#: What a head puts on top of the depth that its sites keep: lasti, previous, exception,
#: function, NULL, two arguments and one to spare.
_HEAD_STACK = 8


def head_stack(kept: int) -> int:
    """The stack that a head takes where it hands ``kept`` operands to the runtime."""
    return _HEAD_STACK + kept


_JUMP_BACK = "JUMP_BACKWARD_NO_INTERRUPT"


def assemble(name: str, argument: int = 0) -> bytes:
    """The bytes of one instruction with its EXTENDED_ARGs and its zeroed inline cache."""
    code = OPMAP[name]
    parts = [argument >> shift & 255 for shift in (24, 16, 8)]
    while parts and not parts[0]:
        del parts[0]
    prefix = b"".join(bytes((EXTENDED_ARG, part)) for part in parts)
    return prefix + bytes((code, argument & 255)) + bytes(2 * CACHES[code])


def _assemble_all(*lines: tuple[str, int] | str) -> bytes:
    return b"".join(
        assemble(line) if isinstance(line, str) else assemble(*line) for line in lines
    )


def _load(name: str, index: int) -> bytes:
    return assemble(name, index << NAME_SHIFTS.get(name, 0))


def _forward(name: str, over: int) -> bytes:
    """A jump forward over ``over`` bytes."""
    return assemble(name, over >> 1)


def _backward(over: int) -> bytes:
    """A jump back that passes ``over`` bytes and itself."""
    size = 2
    while True:
        jump = assemble(_JUMP_BACK, (over + size) >> 1)
        if len(jump) == size:
            return jump
        size = len(jump)


class Head:
    """The bytes of a head; the first and the last of them that may raise, and its RERAISE."""

    __slots__ = ("body", "guarded", "reraise")

    def __init__(
        self,
        match: bytes,
        through: bool,
        reaching: bool,
        kept: int,
        first_name: int,
        first_constant: int,
    ) -> None:
        call = _call_runtime(kept, first_name, first_constant)
        pop = assemble("POP_TOP")
        pass_on = _assemble_all(("SWAP", 2), "POP_EXCEPT")
        reraise = assemble("RERAISE", 1)
        healed = _assemble_all(("SWAP", 4), "POP_TOP", "POP_TOP", "POP_EXCEPT")
        call += assemble("COPY", 1) + _forward(
            JUMP_IF_NOT_NONE, len(pop) + len(pass_on) + len(reraise)
        )
        over = len(call) + len(pop)
        own = b""
        if reaching:
            own = _passing(_matching(match), first_name, over)
        elif not through:
            own = _tests(_next_traceback(first_name), _matching(match), over)
        entry = assemble("PUSH_EXC_INFO")
        self.guarded = (len(entry), len(entry) + len(own) + len(call))
        self.body = entry + own + call + pop + pass_on
        self.reraise = (len(self.body), len(self.body) + len(reraise))
        self.body += reraise + healed

    def table(self, position: int, tail: int, depth: int, cover: Entry | None) -> list[Entry]:
        """The entries that cover a head at ``position`` whose sites keep ``depth`` values.

        A fault of the runtime goes to the ``tail``, up to (not beyond) POP_EXCEPT; what is
        raised again goes where the sites' own exceptions went.
        """
        first, end = self.guarded
        entries: list[Entry] = [(position + first, position + end, tail, depth + 3, False)]
        if cover is not None:
            first, end = self.reraise
            entries.append((position + first, position + end, *cover[2:]))
        return entries


class Tail:
    """The bytes of a tail, and where its RERAISE lies."""

    __slots__ = ("body", "reraise")

    def __init__(self, first_name: int) -> None:
        last = _assemble_all("POP_TOP", ("SWAP", 2), "POP_EXCEPT")
        reraise = assemble("RERAISE", 1)
        test = _next_traceback(first_name)
        test += _forward(JUMP_IF_NOT_NONE, len(last) + len(reraise))
        self.body = _load("IMPORT_FROM", first_name) + _forward(JUMP_IF_NONE, len(test))
        self.body += test + last
        self.reraise = (len(self.body), len(self.body) + len(reraise))
        swap = assemble("SWAP", 2)
        self.body += reraise + swap + _backward(len(last) + len(reraise) + len(swap))

    def table(self, position: int, cover: Entry | None) -> list[Entry]:
        """The entry that covers a tail at ``position``: its RERAISE goes where others went."""
        if cover is None:
            return []
        first, end = self.reraise
        return [(position + first, position + end, *cover[2:])]


def _matching(match: bytes) -> bytes:
    return match + assemble("CHECK_EXC_MATCH") if match else b""


def _tests(traceback: bytes, match: bytes, over: int) -> bytes:
    """Bytes that leave over ``over`` more for what only passes through, and for what is caught.

    What came from a callee may have entered beside its own pad, with less on the stack than this
    one keeps (``opcodes.CALLEE_LOOKUP_UNITS``); a fault must find nothing of a half-done match on
    top of that. The one instruction that loads a single type leaves nothing there, so that test
    comes first: it is the shorter one. A tuple is built behind the other.
    """
    through = traceback + _forward(JUMP_IF_NOT_NONE, over)
    if not match:
        return through
    if OPMAP["BUILD_TUPLE"] not in match[::2]:
        return match + _forward(JUMP_IF_TRUE, len(through) + over) + through
    last = match + _forward(JUMP_IF_TRUE, over)
    return traceback + _forward(JUMP_IF_NOT_NONE, len(last) + over) + last


def _passing(match: bytes, first_name: int, over: int) -> bytes:
    """Bytes that leave over ``over`` more for what is caught by one type, and for what comes out of
    armed code: that was seen where it came from, and only passes through."""
    names = first_name + len(PAD_NAMES)
    step = _assemble_all(("SWAP", 2), "POP_TOP")
    begin = assemble("LOAD_GLOBAL", names << 1) + assemble("COPY", 2)
    for index in (first_name, first_name + 1):
        begin += _load("IMPORT_FROM", index) + step
    begin += assemble("COPY", 1)
    file = b"".join(_load("IMPORT_FROM", names + place) + step for place in (1, 2, 3))
    file += _assemble_all(("SWAP", 2), ("CONTAINS_OP", 0))
    drop = _assemble_all("POP_TOP", "POP_TOP")
    on = _forward("JUMP_FORWARD", len(drop))
    file += _forward(JUMP_IF_TRUE, len(on) + len(drop) + over) + on
    test = begin + _forward(JUMP_IF_NONE, len(file)) + file + drop
    if match and OPMAP["BUILD_TUPLE"] not in match[::2]:
        return match + _forward(JUMP_IF_TRUE, len(test) + over) + test
    return test


def _next_traceback(first_name: int) -> bytes:
    """Bytes that put ``tb_next`` of the traceback of the exception on top of the stack there."""
    body = _load("IMPORT_FROM", first_name) + _load("IMPORT_FROM", first_name + 1)
    return body + _assemble_all(("SWAP", 2), "POP_TOP")


def _call_runtime(kept: int, first_name: int, first_constant: int) -> bytes:
    """Bytes that call the runtime with the exception on top of the stack, and keep it.

    The second argument is the code's qualified name, or else the ``kept`` values that lie beneath
    what the handler was entered with.
    """
    # The lowest bit asks for the NULL that a call needs, wherever the version wants it.
    body = assemble("LOAD_GLOBAL", (first_name + (3 if kept else 2)) << 1 | 1)
    # Each copy puts the next one as deep as the last: lasti, previous, exception, the function and
    # its NULL, the exception's copy, and the values that are still to come.
    body += assemble("COPY", 3)
    body += kept * assemble("COPY", 6 + kept) if kept else assemble("LOAD_CONST", first_constant)
    return body + b"".join(assemble(name, 1 + max(kept, 1)) for name in CALL_SEQUENCE)


def assemble_tree(exits: list[Exit], position: int) -> bytes:
    """The tree of a pad at ``position``: from the runtime's result to behind each site."""
    height = tree_height(len(exits))
    jump = _leaf_jump_size(position, len(exits))
    body = assemble("UNPACK_SEQUENCE", height + 1)
    for piece, resume in _branch(exits, 0, len(exits), height, jump)[0]:
        body += piece
        if resume is not None:
            body += jump_back(position + len(body), resume, jump)
    return body


#: More than a leaf and the node above it ever take.
_LEAF_SIZE = 64


def _leaf_jump_size(position: int, leaves: int) -> int:
    """The bytes of every leaf's jump, so that its size is known before its place.

    With one EXTENDED_ARG it reaches 128 KB, with two 32 MB.
    """
    return 4 if position + leaves * _LEAF_SIZE < 1 << 17 else 6


def jump_back(position: int, target: int, size: int) -> bytes:
    """A jump of ``size`` bytes that stands at ``position`` and goes back to ``target``."""
    distance = (position + size - target) >> 1
    prefix = b"".join(
        bytes((EXTENDED_ARG, distance >> shift & 255)) for shift in range(4 * size - 8, 0, -8)
    )
    return prefix + bytes((OPMAP[_JUMP_BACK], distance & 255))


def _branch(
    exits: list[Exit], low: int, high: int, turns: int, jump: int
) -> tuple[list[tuple[bytes, int | None]], int]:
    """The pieces of a subtree (bytes; where a leaf's jump goes) and its size.

    ``turns`` are still on the stack here: a leaf that lies higher than others pops what it
    does not need.
    """
    if high - low == 1:
        site = exits[low].site
        leaf = turns * assemble("POP_TOP")
        if site.values != 1:
            leaf += assemble("UNPACK_SEQUENCE", site.values) if site.values else assemble("POP_TOP")
        leaf += site.nulls * assemble("PUSH_NULL")
        if site.shape == "method" and not NULL_ABOVE_CALLABLE:
            leaf += assemble("SWAP", 2)
        return [(leaf, exits[low].resume)], len(leaf) + jump
    middle = (low + high) // 2
    left, left_size = _branch(exits, low, middle, turns - 1, jump)
    right, right_size = _branch(exits, middle, high, turns - 1, jump)
    node = _forward(JUMP_IF_TRUE, left_size)
    return [(node, None), *left, *right], len(node) + left_size + right_size


#: Instructions of a head, with the unpacking at the root of its tree.
HEAD_INSTRUCTIONS: int = len(decode(Head(b"", False, False, 0, 0, 0).body)) + 1
