"""What happens when the gate does not let changed code run: it is said, and recorded in the store.

The program runs as it is, without pads in that code. Imported only then.
"""

from __future__ import annotations

from datetime import UTC, datetime

from codesuture import __version__
from codesuture.messages import emit
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.opcodes import TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.session import Session


#: Modules of which a line has told.
_told: set[str] = set()


def reject(session: Session | None, module: str, code: CodeType, reason: str) -> None:
    """Say why in one line, once for each module, and record it where there is a session. Never
    raises."""
    from codesuture.session import module_name

    name = module_name(module, code.co_filename)
    if name in _told:
        return
    _told.add(name)
    emit(
        f"The gate rejected what was to be done to {module}, which runs without it: {reason}. "
        "This is a fault of codesuture; please report it."
    )
    if session is None:
        return
    from codesuture.store.errors import StoreError
    from codesuture.store.rejection import Rejection

    try:
        session.store.save_rejection(
            Rejection.create(
                module=name,
                qualname=code.co_qualname,
                fingerprint=fingerprint(code),
                file=session.relative(code.co_filename),
                reason=reason,
                python=TAG,
                codesuture=__version__,
                created=datetime.now(UTC),
            )
        )
    except StoreError as error:
        session.complain("It is not recorded", error)
    except Exception:  # the line has been said
        return
