"""Runs source with landing pads whose runtime asks the guards alone: no fate, no ladder."""

from __future__ import annotations

import asyncio
import builtins
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any

import pytest

from codesuture.diagnosis.crash import Crash
from codesuture.guards.registry import recognise
from codesuture.surgery.arming import arm, disarm
from codesuture.surgery.landing import Landing
from codesuture.surgery.names import RUNTIME


@dataclass
class Run:
    """What happened: ``heals`` has guard, target, recipe and advice of each crash in turn."""

    names: dict[str, Any]
    heals: list[tuple[str, str, str, str]] = field(default_factory=list)
    escaped: BaseException | None = None

    @property
    def guards(self) -> list[str]:
        return [heal[0] for heal in self.heals]

    @property
    def result(self) -> Any:
        return self.names.get("result")


@pytest.fixture
def run(monkeypatch):
    """``run(source, off=())``: execute armed source as a module; coroutine ``main`` is awaited."""

    def execute(source: str, off: tuple[str, ...] = ()) -> Run:
        done = Run({"__name__": "crashing", "log": [], "result": "never assigned"})

        def recover(exception, function):
            try:
                return heal(exception, sys._getframe(1))
            except BaseException as fault:  # the pad would hide it
                faults.append(fault)
                raise

        def heal(exception, frame):
            code = disarm(frame.f_code)
            landing = Landing(code)
            site = landing.site_at(exception.__traceback__.tb_lasti)
            crash = Crash(exception, frame, code, site)
            guard = recognise(crash, dict.fromkeys(off, False))
            if guard is None:
                return None
            recipe = guard.default(crash)
            target = guard.target(crash)
            note = (guard.name, target, recipe.describe(), guard.advice(target, crash.operation))
            done.heals.append(note)
            behind = landing.behind_chain if guard.whole_chain else landing.behind
            return behind(site, guard.value(crash, recipe))

        faults: list[BaseException] = []
        monkeypatch.setattr(builtins, RUNTIME, recover, raising=False)
        try:
            exec(arm(compile(source, "crashing.py", "exec")), done.names)
            if "main" in done.names:
                done.names["result"] = asyncio.run(done.names["main"]())
        except Exception as error:
            done.escaped = error
        if faults:
            # A pad has no line, which pytest's tracebacks do not like.
            raise AssertionError("".join(traceback.format_exception(faults[0])))
        return done

    return execute
