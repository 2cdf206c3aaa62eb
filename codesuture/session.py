"""What one process knows: its configuration, the patches of its store, what it has healed.

Made by the agent before the program begins, so importing it imports next to nothing.
"""

from __future__ import annotations

import os
from _thread import allocate_lock

from codesuture.config.load import load
from codesuture.knowledge import Knowledge
from codesuture.surgery.names import armed_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType, FrameType
    from typing import Any

    from codesuture.config.load import Config
    from codesuture.knowledge import Known
    from codesuture.rerun import Run
    from codesuture.store.patch import Patch
    from codesuture.store.proof import Proof
    from codesuture.store.store import Store

_Code = type((lambda: None).__code__)


class Session:
    """The state of one process.

    ``run`` is there under ``codesuture run``, which ends with a summary. ``applied`` are the
    patches that are new in this process, ``learned`` counts what came too late for the crash that
    taught it, ``hits`` counts heals that are not in the store yet, ``saving`` are ids of patches
    that are on their way there; ``lock`` guards them.
    """

    def __init__(self, config: Config, run: Run | None = None) -> None:
        self.config = config
        self.run = run
        self.applied: list[Patch] = []
        self.learned = 0
        self.healed = 0
        self.hits: dict[str, int] = {}
        self.saving: set[str] = set()
        self.process = os.getpid()
        self.lock = allocate_lock()
        self.knowledge = Knowledge(self)
        self._told: set[str] = set()

    @property
    def store(self) -> Store:
        """The store; nothing is created by asking for it."""
        store: Store | None = self.__dict__.get("_store")
        if store is None:
            from codesuture.store.store import Store

            # Two threads must not have one each: each would have a journal.
            store = self.__dict__.setdefault("_store", Store(self.config.store))
        return store

    def patches_at(self, module: str, code: CodeType) -> list[Patch]:
        """The patches that belong to this very code."""
        return _at(self.knowledge.patches(), module, code)

    def has_patches(self) -> bool:
        """Whether the store has patches that can be trusted, or this process made some."""
        return bool(self.knowledge.patches().by_place)

    def proofs_at(self, module: str, code: CodeType) -> list[Proof]:
        """What was proved about crashes in this very code and still counts."""
        found = _at(self.knowledge.proofs(), module, code)
        if self.config.on_expiry != "disable":
            return found
        from datetime import UTC, datetime

        now = datetime.now(UTC)
        return [proof for proof in found if not proof.is_expired(now)]

    def learn(self, proof: Proof) -> None:
        """Take over a proof that was stored just now."""
        known = self.knowledge.proofs()
        with self.lock:
            known.add(proof)
            known.saved.add(proof.id)
            self.learned += 1

    def relative(self, filename: str) -> str:
        """``filename`` as seen from the project, with slashes, where it lies inside.

        ``<string>`` and ``<stdin>`` lie nowhere.
        """
        if filename.startswith("<"):
            return filename
        try:
            relative = os.path.relpath(filename, self.config.root)
        except ValueError:  # another drive on Windows
            return filename
        if relative.startswith(os.pardir):
            return filename
        return relative.replace(os.sep, "/")

    def say_once(self, line: str) -> None:
        """Say something, once in this process."""
        if line not in self._told:
            self._told.add(line)
            from codesuture.messages import emit

            emit(line)

    def complain(self, consequence: str, error: Exception) -> None:
        """Say what follows from a fault of the store, once for each fault."""
        fault = str(error)
        if fault not in self._told:
            self._told.add(fault)
            from codesuture.messages import emit

            emit(f"{consequence}: {fault}")

    def add(self, patch: Patch) -> None:
        """Take over a patch that was decided just now, and is on its way to the store."""
        known = self.knowledge.patches()
        with self.lock:
            if patch.learned:
                self.learned += 1
            else:
                self.applied.append(patch)
            self.saving.add(patch.id)
            known.add(patch)

    def added(self, patch: Patch, stored: bool) -> None:
        """The patch has arrived in the store; or not, then it lasts as long as the process."""
        with self.lock:
            self.saving.discard(patch.id)
            if stored:
                self.knowledge.patches().saved.add(patch.id)

    def announce(self, module: str, code: CodeType) -> set[str]:
        """Say which functions of a module that is being loaded have patches, if they count; the
        ids of these patches."""
        from codesuture.messages import emit

        loaded: set[str] = set()
        for nested in all_code(code):
            found = self.patches_at(module, nested)
            if found:
                if not self.config.dry_run:
                    lines = _announcement(found, self.config.on_expiry)
                    if self.config.quiet:
                        lines = [line for line in lines if not line.startswith(_LOADED)]
                    if lines:
                        emit(*lines)
                loaded.update(patch.id for patch in found)
        return loaded

    def prepare(self, module: str, code: CodeType) -> CodeType:
        """The armed code of a module, in which patched operators keep their operands."""
        patches = self.knowledge.patches().by_place
        if not any(
            place[0] == module and patch.operation == "binary"
            for place, found in patches.items()
            for patch in found
        ):
            return code
        from codesuture.surgery.keeping import keep_operands

        def wanted(nested: CodeType) -> frozenset[int]:
            found = self.patches_at(module, nested)
            return frozenset(patch.ordinal for patch in found if patch.operation == "binary")

        kept = keep_operands(code, wanted)
        if kept is code:
            return code
        from codesuture import gatekeeper
        from codesuture.surgery.arming import disarm_all

        original = disarm_all(code)
        reason = gatekeeper.admit(original, kept)
        if reason:
            rejected(module, original, reason)
            return code
        gatekeeper.remember(original, kept)
        if self.config.verbose:
            from codesuture.report import report_rewriting

            report_rewriting(module, kept)
        return kept


def _at(known: Known, module: str, code: CodeType) -> list[Any]:
    """The patches, or the proofs, that belong to this very code."""
    if not known.by_place:
        return []
    from codesuture.surgery.fingerprint import fingerprint

    return known.by_place.get((module, code.co_qualname, fingerprint(code)), [])


def all_code(code: CodeType) -> list[CodeType]:
    """The code object and all that are nested in its constants."""
    found = [code]
    for constant in code.co_consts:
        if type(constant) is _Code:
            found += all_code(constant)
    return found


_LOADED = "Already healed, skipping: loaded persistent patch for"


def _announcement(patches: list[Patch], on_expiry: str) -> list[str]:
    """The lines about the patches of one function."""
    name = patches[0].qualname
    applied = [patch for patch in patches if patch.is_applied]
    off = [f"Patch of {name} is not applied: it is {patch.state}."
           for patch in patches if not patch.is_applied]
    return off + (_loaded(applied, name, on_expiry) if applied else [])


def _loaded(patches: list[Patch], name: str, on_expiry: str) -> list[str]:
    from datetime import UTC, datetime

    expired = [patch for patch in patches if patch.is_expired(datetime.now(UTC))]
    if expired and on_expiry == "disable":
        lines = [f"Patch of {name} expired on {expired[0].expires[:10]} and is not applied."]
        if len(expired) == len(patches):
            return lines
    else:
        lines = [
            f"Patch of {name} expired on {patch.expires[:10]}; fix {patch.file}:{patch.line}."
            for patch in expired
        ]
    return [f"{_LOADED} {name}", *lines]


MAIN_NAMES = ("__main__", "__mp_main__")

_session: Session | None = None


def current() -> Session | None:
    """The session of this process; None while codesuture is not active in it."""
    return _session


def leave() -> None:
    """The program runs without codesuture after all: nothing is healed, and nothing learned."""
    global _session
    _session = None


def configure(options: Mapping[str, str] | None, directory: str) -> Session:
    """Begin the session; ``options`` are what ``codesuture run`` or ``watch`` hands over, if any.

    Raises ConfigError where the configuration is wrong; then there is no session.
    """
    global _session
    config = load(directory, overrides=None if options is None else _flags(options))
    if config.color != "auto":
        from codesuture.messages import use_color

        use_color(config.color)
    _session = Session(config, None if options is None else _run(options))
    from codesuture.runtime import connect

    connect()
    _at_the_end()
    return _session


def _flags(options: Mapping[str, str]) -> dict[str, str]:
    from codesuture.config.runflags import flags_of

    return flags_of(options)


def _run(options: Mapping[str, str]) -> Run | None:
    """The state of ``codesuture run``; None under ``watch``, which restarts the program itself."""
    from codesuture.config.runflags import SESSION

    if options.get(SESSION) != "run":
        return None
    from codesuture.rerun import Run

    given = None
    if os.name != "nt":  # there ``exec`` is a new process, and the shell takes this one for ended
        from codesuture.given import Given

        try:
            given = Given()
        except OSError:  # the working directory is gone, say
            given = None
    return Run(options, given)


def _at_the_end() -> None:
    import atexit

    from codesuture import ending

    atexit.register(ending.finish)
    ending.listen()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)


def _after_fork() -> None:
    """A child counts for itself; what its parent has not yet stored is the parent's to store."""
    if _session is not None:
        _session.lock = allocate_lock()  # another thread of the parent may have held it
        _session.hits = {}
        _session.applied = []
        _session.healed = 0
        _session.saving = set()
        store = _session.__dict__.pop("_store", None)
        if store is not None:
            store.journal.leave()
        _session.knowledge.after_fork()
        from codesuture import ending

        ending.after_fork()


def module_loaded(module: str, armed: CodeType) -> CodeType:
    """Called by the import hook before a module's code runs first; gives the code to run."""
    if _session is None:
        return armed
    if _session.config.library_calls:
        armed_files.add(armed.co_filename)
    name = module_name(module, armed.co_filename)
    if not _session.knowledge.has_patches_of(name):
        return armed
    if _session.knowledge.patches().learned:
        from codesuture.live.applying import take_over

        take_over(_session)
    patches = _session.knowledge.patches().of_module(name)
    if not patches:
        return armed
    loaded = _session.announce(name, armed)
    code = _session.prepare(name, armed)
    others = [patch for patch in patches if patch.id not in loaded]
    if others:  # for code that has changed, or for other versions of Python
        from codesuture.mending import watch

        watch(others, all_code(code))
    return code


def rejected(module: str, code: CodeType, reason: str) -> None:
    """Say and record that the gate lets changed code not run: it runs as it is."""
    from codesuture.rejecting import reject

    reject(_session, module, code, reason)


def module_name(name: str, filename: str) -> str:
    """The name that patches know a module by: the stem of its file for a script.

    ``multiprocessing`` runs the script as ``__mp_main__`` in its workers.
    """
    if name not in MAIN_NAMES:
        return name
    stem = os.path.splitext(os.path.basename(filename))[0]
    return stem if stem and not stem.startswith("<") else name


def module_of(frame: FrameType) -> str:
    """The name of the frame's module as patches know it."""
    return module_in(frame.f_globals, frame.f_code.co_filename)


def module_in(names: Mapping[str, object], filename: str) -> str:
    """The name of the module with these global names, for code of that file."""
    name = names.get("__name__")
    if type(name) is not str:
        name = "__main__"
    if name in MAIN_NAMES:
        # Under ``python -m`` the program has a specification with its real name.
        spec = names.get("__spec__")
        real = vars(spec).get("name") if hasattr(type(spec), "__dict__") and spec else None
        if type(real) is str and real:
            name = real
    return module_name(name, filename)
