"""anyio: worker threads, and tasks of its groups, on asyncio (``anyio/_backends/_asyncio.py``).

Starlette and FastAPI run sync functions of the application in such threads.
"""

from __future__ import annotations

from codesuture.fate import Boundary, futures
from codesuture.fate.boundaries import delivered, lets_pass
from codesuture.fate.lookup import MISSING
from codesuture.frames import local_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def _future_of_work(frame: FrameType, task: object) -> object:
    """``WorkerThread.run`` puts it into the future that ``to_thread.run_sync`` awaits."""
    future = local_variable(frame, "future", MISSING)
    futures.give_time(future)
    return future


BOUNDARIES = (
    Boundary("anyio._backends._asyncio", "WorkerThread.run", delivered, _future_of_work),
    # its limiter is the one that it is given, or else another: both are left by everything
    Boundary("anyio._backends._asyncio", "AsyncIOBackend.run_sync_in_worker_thread", lets_pass),
    Boundary("anyio._backends._asyncio", "TaskGroup._run_wrapped_task", delivered),
)
