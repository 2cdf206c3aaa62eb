"""asgiref: what Django and Flask call asynchronous functions with from synchronous ones.

``AsyncToSync.main_wrap`` runs the function in an event loop, and puts what it raises into a future
whose result ``AsyncToSync.__call__`` gives, in another thread. Source: ``asgiref/sync.py`` of 3.8
to 3.13.
"""

from __future__ import annotations

from codesuture.fate import Boundary
from codesuture.fate.boundaries import delivered, future_of_job
from codesuture.fate.lookup import MISSING
from codesuture.frames import local_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def _result_of_call(frame: FrameType, task: object) -> object:
    return local_variable(frame, "call_result", MISSING)


BOUNDARIES = (
    # a thread that waits for an asynchronous function runs the sync ones that this calls
    Boundary("asgiref.current_thread_executor", "_WorkItem.run", delivered, future_of_job),
    Boundary("asgiref.sync", "AsyncToSync.main_wrap", delivered, _result_of_call),
)
