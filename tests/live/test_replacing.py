"""New code reaches every live reference, what runs ends in the old one, all can be undone."""

from __future__ import annotations

import functools
import gc
import os
import threading
from collections.abc import Callable, Iterator

import pytest

from codesuture.live.references import References
from codesuture.live.replacing import Replacement
from codesuture.surgery.arming import arm

SOURCE = """
def factory(n):
    def closure(x):
        return (n, x["old"])
    return closure

def outer():
    class Local:
        def method(self, x):
            return x["old"]
    return Local()

class Thing:
    def method(self, x):
        return x["old"]
    @property
    def field(self):
        return {}["old"]
    @classmethod
    def build(cls, x):
        return x["old"]
    @staticmethod
    def plain(x):
        return x["old"]

def generator(x):
    yield 1
    yield x["old"]

async def coroutine(x):
    return x["old"]

def wrapped(x):
    return x["old"]
"""

Names = dict[str, object]


@pytest.fixture
def names() -> Names:
    """The names of a module that was made by `exec`, so that nothing has armed it."""
    made: Names = {"__name__": "made"}
    exec(compile(SOURCE, f"<live {id(made)}>", "exec"), made)
    return made


def changed(code):
    """`code` with another constant: what a patched function does can be told from its result."""
    constants = tuple("new" if one == "old" else one for one in code.co_consts)
    return code.replace(co_consts=constants)


BOTH = {"old": "old", "new": "new"}


@pytest.fixture
def replacing() -> Iterator[Callable[..., Replacement]]:
    made: list[Replacement] = []

    def replace(code) -> Replacement:
        made.append(Replacement(code, changed(code)))
        assert made[-1].apply()
        return made[-1]

    yield replace
    for one in made:
        one.undo()


def test_closures_of_one_factory_in_every_container(names, replacing):
    factory = names["factory"]
    kept = [factory(0)]
    holders = {
        "list": [factory(1)],
        "dict": {"f": factory(2)},
        "key": {factory(3): None},
        "set": {factory(4)},
        "tuple": (((factory(5),),),),
        "partial": functools.partial(factory(6), BOTH),
        "cell": (lambda f: lambda: f)(factory(7)),
        "attribute": type("Holder", (), {})(),
        "slot": type("Slotted", (), {"__slots__": ("f",)})(),
        "default": eval("lambda f=f: f", {"f": factory(8)}),
        "wrapped": functools.wraps(kept[0])(lambda x: kept[0](x)),
        "cache": functools.lru_cache(factory(9)),
        "generator": (f for f in [factory(10)]),
        "thread": threading.local(),
    }
    holders["attribute"].f, holders["slot"].f = factory(11), factory(12)
    holders["thread"].f = factory(13)
    every = [*range(1, 14), 0]
    found = replacing(kept[0].__code__)
    assert found.functions == 14 and found.enclosing == 1, "and the factory defines them"
    results = [
        holders["list"][0](BOTH),
        holders["dict"]["f"](BOTH),
        next(iter(holders["key"]))(BOTH),
        next(iter(holders["set"]))(BOTH),
        holders["tuple"][0][0][0](BOTH),
        holders["partial"](),
        holders["cell"]()(BOTH),
        holders["default"]()(BOTH),
        holders["cache"].__wrapped__(BOTH),
        next(holders["generator"])(BOTH),
        holders["attribute"].f(BOTH),
        holders["slot"].f(BOTH),
        holders["thread"].f(BOTH),
        holders["wrapped"].__wrapped__(BOTH),
    ]
    assert results == [(number, "new") for number in every]
    assert factory(99)(BOTH) == (99, "new"), "what is defined later has it, too"
    before = factory(1)
    assert found.undo()
    assert before(BOTH) == (1, "old") and kept[0](BOTH) == (0, "old")
    assert holders["tuple"][0][0][0](BOTH) == (5, "old") and factory(99)(BOTH) == (99, "old")
    assert kept[0].__code__ is found.old
    assert not found.apply() and not found.undo(), "once is enough"


@pytest.mark.parametrize(
    ("reach", "call"),
    [
        (lambda t: t.method, lambda m, t: t.method(BOTH)),
        (lambda t: t.build, lambda m, t: t.build(BOTH)),
        (lambda t: t.plain, lambda m, t: t.plain(BOTH)),
        (lambda t: t.method, lambda m, t: m(BOTH)),  # a bound method of before
    ],
    ids=["method", "classmethod", "staticmethod", "bound"],
)
def test_methods(names, replacing, reach, call):
    thing = names["Thing"]()
    bound = reach(thing)
    code = getattr(bound, "__func__", bound).__code__
    found = replacing(code)
    assert call(bound, thing) == "new"
    found.undo()
    assert call(bound, thing) == "old"


def test_properties(names, replacing):
    thing = names["Thing"]()
    replacing(names["Thing"].field.fget.__code__)
    with pytest.raises(KeyError, match="new"):
        thing.field  # noqa: B018


def test_code_in_a_class_in_a_function(names, replacing):
    outer = names["outer"]
    before = outer.__code__
    first = outer()
    code = type(first).method.__code__
    found = replacing(code)
    assert (found.functions, found.enclosing) == (1, 1)
    assert first.method(BOTH) == outer().method(BOTH) == "new"
    original = outer.__code__
    found.undo()
    assert first.method(BOTH) == outer().method(BOTH) == "old"
    assert outer.__code__ is not original and outer.__code__ == before


def test_undoing_one_of_two_in_the_same_enclosing_function(replacing):
    names: Names = {}
    text = "def outer():\n def a(x): return x['old']\n def b(x): return x['old']\n return a, b\n"
    exec(compile(text, "<live two>", "exec"), names)
    a, b = names["outer"]()
    first, second = replacing(a.__code__), replacing(b.__code__)
    assert [f(BOTH) for f in (a, b, *names["outer"]())] == ["new"] * 4
    first.undo()
    assert [f(BOTH) for f in (a, b, *names["outer"]())] == ["old", "new"] * 2
    second.undo()
    assert [f(BOTH) for f in (a, b, *names["outer"]())] == ["old"] * 4


def test_generators_and_coroutines_that_are_alive_finish_on_the_old_code(names, replacing):
    for function in (names["generator"], names["coroutine"]):
        alive = [function(BOTH), function(BOTH)]
        ended = function(BOTH)
        ended.close()
        if function is names["generator"]:
            assert next(alive[0]) == 1
        found = replacing(function.__code__)
        assert found.running == 2
        fresh = function(BOTH)
        assert [_finish(one) for one in alive] == ["old"] * 2 and _finish(fresh) == "new"


def _finish(suspended):
    if hasattr(suspended, "gi_frame"):
        return list(suspended)[-1]
    try:
        suspended.send(None)
    except StopIteration as end:
        return end.value


def test_a_function_whose_text_was_executed_twice(replacing):
    made: list[Names] = [{}, {}]
    for names in made:
        exec(compile("def rule(x): return x['old']", "<rule>", "exec"), names)
    other: Names = {}
    exec(compile("def rule(x): return [x['old']]", "<rule>", "exec"), other)
    found = replacing(made[0]["rule"].__code__)
    assert found.functions == 2
    assert [names["rule"](BOTH) for names in made] == ["new"] * 2
    assert other["rule"](BOTH) == ["old"]


def test_what_the_collector_does_not_show(names, replacing):
    """`gc.freeze()`, as servers call it before they fork."""
    import sys
    from types import ModuleType

    module = ModuleType("live_frozen")
    vars(module).update(names)
    sys.modules["live_frozen"] = module
    gc.freeze()
    try:
        replacing(module.Thing.method.__code__)
        assert module.Thing().method(BOTH) == "new"
    finally:
        gc.unfreeze()
        del sys.modules["live_frozen"]


def test_code_of_somebody_else_in_between_stays(names, replacing):
    function = names["wrapped"]
    found = replacing(function.__code__)
    function.__code__ = (lambda x: "theirs").__code__
    found.undo()
    assert function({}) == "theirs"


def test_other_free_variables_are_refused(names):
    closure = names["factory"](1)
    with pytest.raises(ValueError, match="free variables"):
        Replacement(closure.__code__, names["wrapped"].__code__)


def test_armed_code_and_back(names):
    function = names["wrapped"]
    code = function.__code__
    found = Replacement(code, arm(code))
    found.apply()
    assert function(BOTH) == "old" and function.__code__ is not code
    with pytest.raises(KeyError):
        function({})
    found.undo()
    assert function.__code__ is code


def test_threads_that_call_a_function_while_it_is_patched(names):
    """100 threads, 10,000 calls, the function patched and taken back all the time."""
    function, calls, results = names["wrapped"], 100, []
    code = function.__code__
    begin = threading.Barrier(101)

    def call() -> None:
        begin.wait(30)
        own = [function(BOTH) for _ in range(calls)]
        results.extend(own)

    threads = [threading.Thread(target=call) for _ in range(100)]
    for thread in threads:
        thread.start()
    begin.wait(30)
    times = 0
    while any(thread.is_alive() for thread in threads):
        found = Replacement(code, changed(code))
        assert found.apply()
        assert function(BOTH) == "new"
        assert found.undo()
        times += 1
    for thread in threads:
        thread.join(30)
    assert len(results) == 10_000 and set(results) <= {"old", "new"}
    assert times and function.__code__ is code


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_child_that_was_forked_while_a_thread_was_at_it(names):
    from codesuture.live import replacing

    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with replacing._lock:
            taken.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(30)
    child = os.fork()
    if not child:
        function = names["wrapped"]
        applied = Replacement(function.__code__, changed(function.__code__)).apply()
        os._exit(0 if applied and function(BOTH) == "new" else 1)
    done.set()
    thread.join(30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_million_objects_are_looked_through_in_a_moment():
    """As measured: 0.06 s; the limit is for a machine that does other things."""
    import time

    kept = [[number] for number in range(1_000_000)]
    begun = time.perf_counter()
    References(lambda code: False, lambda code: False)
    took = time.perf_counter() - begun
    assert took < 2, took
    assert len(kept) == 1_000_000
