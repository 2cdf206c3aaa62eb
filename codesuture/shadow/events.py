"""How the interpreter tells of each instruction of a healed call: one mechanism for each version.

From 3.12 on by events of ``sys.monitoring`` that are local to the code object (PEP 669); on 3.11
by the opcode events of the one frame (``f_trace_opcodes``). Both are on only while a healed call
lives.
A watched frame is known by the ``Watch`` in its ``f_trace``: it lives as long as the frame, and
nothing of ours keeps the frame.
"""

from __future__ import annotations

import sys
from _thread import RLock, get_ident
from sys import _getframe

from codesuture.session import current
from codesuture.surgery.opcodes import HAS_MONITORING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from codesuture.shadow.watching import Watch

    Handler = Callable[[Watch, FrameType, int], None]

_monitoring: Any = getattr(sys, "monitoring", None)
_NAME = "codesuture --shadow"
#: Tool ids: first those that belong to no kind of tool, then those of tools that are not here.
_IDS = (4, 3, 5, 2, 1)


class LocalEvents:
    """INSTRUCTION events of ``sys.monitoring`` for the code of frames that are watched.

    The tool id is taken with the first of them, and given back with the last.
    """

    def __init__(self, handler: Handler, watch_type: type[Watch]) -> None:
        self._handler = handler
        self._type = watch_type
        self._lock = RLock()
        self._tool = -1
        #: By the address of a code object: the code, and its watches that live.
        self._live: dict[int, tuple[CodeType, dict[int, bool]]] = {}

    def begin(self, watch: Watch, frame: FrameType) -> bool:
        """Tell of the frame's instructions from now on; False where no tool id is free."""
        code = frame.f_code
        with self._lock:
            if self._tool < 0 and not self._take_tool():
                return False
            if id(code) not in self._live:
                self._live[id(code)] = (code, {})
                self._switch(code, True)
            watch.live = self._live[id(code)][1]
            watch.live[id(watch)] = True
        return True

    def end(self, watch: Watch, frame: FrameType) -> None:
        """Tell of them no more."""
        self._release(watch, frame.f_code)

    def _release(self, watch: Watch | None, code: CodeType) -> None:
        with self._lock:
            if watch is not None:
                watch.leave()
            known = self._live.get(id(code))
            if known is None or known[1]:
                return
            del self._live[id(code)]
            self._switch(code, False)
            if not self._live:
                self._give_tool_back()

    def _take_tool(self) -> bool:
        for tool in _IDS:
            if _monitoring.get_tool(tool) is None:
                try:
                    _monitoring.use_tool_id(tool, _NAME)
                except ValueError:  # another thread was faster
                    continue
                _monitoring.register_callback(tool, _monitoring.events.INSTRUCTION, self._told)
                self._tool = tool
                return True
        session = current()
        if session is not None:
            session.say_once("--shadow follows nothing: all tool ids of sys.monitoring are taken.")
        return False

    def _give_tool_back(self) -> None:
        tool, self._tool = self._tool, -1
        _monitoring.register_callback(tool, _monitoring.events.INSTRUCTION, None)
        _monitoring.free_tool_id(tool)

    def _switch(self, code: CodeType, on: bool) -> None:
        events = _monitoring.events.INSTRUCTION if on else 0
        _monitoring.set_local_events(self._tool, code, events)

    def _told(self, code: CodeType, offset: int) -> None:
        frame = _getframe(1)
        watch = frame.f_trace
        if type(watch) is self._type:
            self._handler(watch, frame, offset)
        elif not self._live.get(id(code), (code, True))[1]:  # the last one left by an exception
            self._release(None, code)


class OpcodeEvents:
    """Opcode events of the watched frames, for Python without ``sys.monitoring``.

    The thread is traced while one of its watched frames lives: by a function that wants to know
    nothing of other frames, and that is not set where somebody else traces the thread.
    """

    def __init__(self, handler: Handler, watch_type: type[Watch]) -> None:
        self._handler = handler
        self._type = watch_type
        #: By thread: its watches that live.
        self._live: dict[int, dict[int, bool]] = {}

    def begin(self, watch: Watch, frame: FrameType) -> bool:
        """Tell of the frame's instructions from now on."""
        watch.live = self._live.setdefault(get_ident(), {})
        watch.live[id(watch)] = True
        watch.told = self._handler
        frame.f_trace_opcodes = True
        if sys.gettrace() is None:
            sys.settrace(self._called)
        return True

    def end(self, watch: Watch, frame: FrameType) -> None:
        """Tell of them no more."""
        frame.f_trace_opcodes = False
        watch.leave()
        if not self._live.get(get_ident()):
            self._stop()

    def _called(self, frame: FrameType, event: str, argument: object) -> None:
        if not self._live.get(get_ident()):  # the last one left by an exception
            self._stop()

    def _stop(self) -> None:
        self._live.pop(get_ident(), None)
        if sys.gettrace() == self._called:
            sys.settrace(None)


def events_for(handler: Handler, watch_type: type[Watch]) -> LocalEvents | OpcodeEvents:
    """The mechanism of this Python."""
    kind = LocalEvents if HAS_MONITORING else OpcodeEvents
    return kind(handler, watch_type)
