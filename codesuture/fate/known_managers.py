"""Context managers whose behaviour is known by name, and where that is not to be read from code.

``Lib/contextlib.py``, ``Lib/unittest/case.py``, ``Lib/asyncio/timeouts.py``,
``Lib/asyncio/taskgroups.py``,
``Lib/unittest/mock.py``, ``Modules/_sqlite/connection.c`` (its ``__exit__`` returns False).

Beyond the standard library: SQLAlchemy's transactions, connections and sessions roll back or
close, and return nothing (``engine/util.py``, ``engine/base.py``, ``orm/session.py``,
``ext/asyncio``), and so do Django's (``db/transaction.py``; ``db/utils.py`` turns errors of
databases into others only); cancel scopes of trio (``_core/_run.py``) and anyio
(``_core/_tasks.py``, ``_backends/_asyncio.py``) take cancellations only, which are no
``Exception``.
"""

from __future__ import annotations

from codesuture.fate import lookup
from codesuture.fate.lookup import MISSING
from codesuture.fate.scope import matches
from codesuture.fate.verdict import HANDLED, PASSES, UNKNOWN, Outcome, Raised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codesuture.fate.scope import Scope

    Rule = Callable[[str, tuple[object, ...] | None, object, Raised], Outcome]


def judge_known(
    name: str,
    arguments: tuple[object, ...] | None,
    value: object,
    scope: Scope,
    raised: Raised,
) -> Outcome | None:
    """What the manager called ``name`` does, or None where the table does not know it.

    ``arguments`` are those it was made with (None: not known), ``value`` is the manager.
    """
    rule = _RULES.get(name)
    return rule(name, arguments, value, raised) if rule is not None else None


def depends_on_value(name: str) -> bool:
    """Whether it matters with which arguments the manager called ``name`` was made, or which one
    it is: other managers of the table all do the same."""
    return _RULES.get(name) in (_suppress, _expects)


def _passes(
    name: str, arguments: tuple[object, ...] | None, value: object, raised: Raised
) -> Outcome:
    return Outcome(PASSES, f"has a {name}, which lets it pass", raised)


def _catches(name: str, types: object, raised: Raised) -> Outcome:
    """A manager that swallows these types (and, of a group, the leaves of these types)."""
    answer = matches(raised.type, types)
    if answer is False and raised.leaves:
        answer = None
    if answer is None:
        return Outcome(UNKNOWN, f"has a {name} whose types cannot be told")
    if answer:
        return Outcome(HANDLED, f"has a {name}, which expects it")
    return Outcome(PASSES, f"has a {name} for other exceptions", raised)


def _suppress(
    name: str, arguments: tuple[object, ...] | None, value: object, raised: Raised
) -> Outcome:
    if value is not None:
        held = lookup.attribute(value, "_exceptions")
        return _catches("suppress()", held, raised)
    if arguments is None:
        return Outcome(UNKNOWN, "has a suppress(*...) whose types cannot be told")
    return _catches("suppress()", arguments, raised)


def _expects(
    name: str, arguments: tuple[object, ...] | None, value: object, raised: Raised
) -> Outcome:
    """``assertRaises(T)``, ``assertRaisesRegex(T, text)``, ``pytest.raises(T)``."""
    short = name.rpartition(".")[2]
    if value is not None:
        for attribute in ("expected", "expected_exception", "expected_exceptions"):
            types = lookup.attribute(value, attribute)
            if types is not MISSING:
                return _catches(short, types, raised)
        return Outcome(UNKNOWN, f"has a {short} whose types cannot be told")
    if not arguments:
        return Outcome(UNKNOWN, f"has a {short} whose types cannot be told")
    return _catches(short, arguments[0], raised)


def _timeout(
    name: str, arguments: tuple[object, ...] | None, value: object, raised: Raised
) -> Outcome:
    if lookup.is_cancellation(raised.type) and raised.becomes is None:
        return Outcome(UNKNOWN, "has a timeout around a cancellation")
    return Outcome(PASSES, "has a timeout, which lets it pass", raised)


def _cancel_scope(
    name: str, arguments: tuple[object, ...] | None, value: object, raised: Raised
) -> Outcome:
    if raised.becomes is None and not issubclass(raised.type, Exception):
        return Outcome(UNKNOWN, "has a cancel scope, which takes cancellations out of it")
    return Outcome(PASSES, "has a cancel scope, which lets it pass", raised)


def _task_group(
    name: str, arguments: tuple[object, ...] | None, value: object, raised: Raised
) -> Outcome:
    if raised.becomes is not None:
        return Outcome(PASSES, "has a TaskGroup, which raises it in a group", raised.becomes)
    if not issubclass(raised.type, Exception):
        return Outcome(UNKNOWN, "has a TaskGroup")
    return Outcome(PASSES, "has a TaskGroup, which raises it in a group", raised.grouped())


def _nursery(
    name: str, arguments: tuple[object, ...] | None, value: object, raised: Raised
) -> Outcome:
    """A nursery of trio: whether it raises a single exception in a group is a setting."""
    if raised.becomes is not None:
        return Outcome(PASSES, "has a nursery, which raises it in a group", raised.becomes)
    return Outcome(UNKNOWN, "has a nursery, which may raise it in a group")


def _collapsing_group(
    name: str, arguments: tuple[object, ...] | None, value: object, raised: Raised
) -> Outcome:
    """A task group that raises a single exception as it is (``starlette/_utils.py``)."""
    if raised.becomes is not None:
        leaves = raised.becomes.leaves
        raised = Raised(leaves[0]) if len(leaves) == 1 else raised.becomes
    elif not issubclass(raised.type, Exception):
        return Outcome(UNKNOWN, "has a task group")
    return Outcome(PASSES, "has a task group, which raises a single exception as it is", raised)


_PASSES = (
    "_io.open", "io.open", "builtins.open", "_pyio.open", "_thread.allocate_lock", "_thread.RLock",
    "_thread.lock", "contextlib.closing", "contextlib.aclosing", "contextlib.nullcontext",
    "_decimal.localcontext", "decimal.localcontext", "sqlite3.connect", "_sqlite3.connect",
    "sqlite3.dbapi2.connect", "unittest.mock._patch", "unittest.mock.patch",
    "unittest.mock._patch_object", "unittest.mock._patch_multiple", "unittest.mock._patch_dict",
    "tempfile.TemporaryFile", "tempfile.NamedTemporaryFile", "tempfile.TemporaryDirectory",
    "tempfile.SpooledTemporaryFile", "tempfile._TemporaryFileWrapper", "os.scandir",
    "posix.scandir", "nt.scandir", "urllib.request.urlopen", "warnings.catch_warnings",
    "_py_warnings.catch_warnings", "pathlib.Path.open", "pathlib._local.Path.open",
    "gzip.open", "bz2.open", "lzma.open", "tarfile.TarFile.open", "subprocess.Popen",
    "threading.Lock", "threading.RLock", "threading.Condition", "threading.Semaphore",
    "threading.BoundedSemaphore", "socket.socket", "socket.create_connection",
    "multiprocessing.context.BaseContext.Lock", "multiprocessing.context.BaseContext.Pool",
    "contextlib.AbstractContextManager", "contextlib.AbstractAsyncContextManager",
    "asyncio.locks._ContextManagerMixin", "concurrent.futures._base.Executor",
    "sqlalchemy.engine.util.TransactionalContext", "sqlalchemy.engine.base.Connection",
    "sqlalchemy.engine.base.Engine.begin", "sqlalchemy.engine.base.Engine.connect",
    "sqlalchemy.engine.base.Connection.begin", "sqlalchemy.engine.base.Connection.begin_nested",
    "sqlalchemy.orm.session.Session", "sqlalchemy.orm.session.Session.begin",
    "sqlalchemy.orm.session.Session.begin_nested", "sqlalchemy.orm.session.sessionmaker.begin",
    "sqlalchemy.ext.asyncio.engine.AsyncConnection",
    "sqlalchemy.ext.asyncio.engine.AsyncTransaction",
    "sqlalchemy.ext.asyncio.engine.AsyncEngine.begin",
    "sqlalchemy.ext.asyncio.engine.AsyncEngine.connect",
    "sqlalchemy.ext.asyncio.engine.AsyncConnection.begin",
    "sqlalchemy.ext.asyncio.session.AsyncSession",
    "sqlalchemy.ext.asyncio.session.AsyncSession.begin",
    "fastapi.telemetry._api._operation",
    "django.db.transaction.Atomic", "django.db.transaction.atomic",
    "django.db.utils.DatabaseErrorWrapper",
)  # fmt: skip
_RULES: dict[str, Rule] = {
    **dict.fromkeys(_PASSES, _passes),
    "contextlib.suppress": _suppress,
    "unittest.case.TestCase.assertRaises": _expects,
    "unittest.case.TestCase.assertRaisesRegex": _expects,
    "unittest.case._AssertRaisesContext": _expects,
    "_pytest.raises.raises": _expects,
    "_pytest.raises.RaisesExc": _expects,
    "_pytest.python_api.raises": _expects,
    "_pytest.python_api.RaisesContext": _expects,
    "asyncio.timeouts.timeout": _timeout,
    "asyncio.timeouts.timeout_at": _timeout,
    "asyncio.timeouts.Timeout": _timeout,
    "asyncio.taskgroups.TaskGroup": _task_group,
    "starlette._utils.create_collapsing_task_group": _collapsing_group,
    "trio.CancelScope": _cancel_scope,
    "trio._core._run.NurseryManager": _nursery,
    "anyio.CancelScope": _cancel_scope,
    "anyio.move_on_after": _cancel_scope,
    "anyio.fail_after": _cancel_scope,
    "anyio.create_task_group": _task_group,
    "anyio._backends._asyncio.CancelScope": _cancel_scope,
    "anyio._backends._asyncio.TaskGroup": _task_group,
}
