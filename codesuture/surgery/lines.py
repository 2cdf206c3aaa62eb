"""Writing line tables: where in the source appended code stands (``Objects/locations.md``)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    #: line, last line, column, last column; None where it is not known
    Position = tuple[int | None, int | None, int | None, int | None]

_NONE, _LONG, _NO_COLUMNS, _SHORT = 15, 14, 13, 10
_MOST_UNITS = 8


def no_location(units: int) -> bytes:
    """Entries without a location for so many code units."""
    return b"".join(_head(_NONE, part) for part in _parts(units))


def write_location(table: bytes, position: Position, units: int, first_line: int) -> bytes:
    """``table`` with entries behind it that give so many code units this position.

    ``first_line`` is the code's ``co_firstlineno``, from which the table counts.
    """
    line, last_line, column, last_column = position
    if line is None:
        return table + no_location(units)
    written = bytearray(table)
    change = line - first_line - _lines_in(table)
    for part in _parts(units):
        if last_line is None or column is None or last_column is None:
            written += _head(_NO_COLUMNS, part) + _signed(change)
        else:
            written += _head(_LONG, part) + _signed(change) + _unsigned(last_line - line)
            written += _unsigned(column + 1) + _unsigned(last_column + 1)
        change = 0
    return bytes(written)


def _parts(units: int) -> list[int]:
    rest = units % _MOST_UNITS
    return [_MOST_UNITS] * (units // _MOST_UNITS) + ([rest] if rest else [])


def _head(kind: int, units: int) -> bytes:
    return bytes((0x80 | kind << 3 | units - 1,))


def _unsigned(value: int) -> bytes:
    """Six bits a byte, the lowest first."""
    written = bytearray()
    while value > 63:
        written.append(value & 63 | 64)
        value >>= 6
    written.append(value)
    return bytes(written)


def _signed(value: int) -> bytes:
    return _unsigned(-value << 1 | 1 if value < 0 else value << 1)


def _lines_in(table: bytes) -> int:
    """How many lines the table goes down in all."""
    total, position = 0, 0
    while position < len(table):
        kind = table[position] >> 3 & 15
        position += 1
        if kind in (_LONG, _NO_COLUMNS):
            value, shift = 0, 0
            while True:
                byte = table[position]
                value |= (byte & 63) << shift
                shift, position = shift + 6, position + 1
                if not byte & 64:
                    break
            total += -(value >> 1) if value & 1 else value >> 1
        elif _SHORT <= kind < _NO_COLUMNS:
            total += kind - _SHORT
        while position < len(table) and not table[position] & 0x80:
            position += 1
    return total
