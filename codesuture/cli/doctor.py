"""`codesuture doctor`: is everything in place, and what to do about what is not."""

from __future__ import annotations

import json
import os
import sys

from codesuture import cachekey
from codesuture.cli.failure import Failure, Parser
from codesuture.cli.terminal import Screen, counted, plain
from codesuture.config.errors import ConfigError, in_words
from codesuture.config.load import Config, load
from codesuture.store import Store, StoreError
from codesuture.venvs import INSTALLED, LINES, Place, Status, Trial, VenvError, status, try_agent

GOOD, NOTE, WRONG = "ok", "note", "wrong"
_COLOURS = {GOOD: "GREEN", NOTE: "YELLOW", WRONG: "RED"}
_START_FILES = (3, 15)
_REINSTALL = "-m pip install --force-reinstall codesuture"


class Finding:
    """What one check found: its subject, `ok`, `note` or `wrong`, a sentence, and what to do."""

    def __init__(self, subject: str, state: str, sentence: str, do: str = "") -> None:
        self.subject = subject
        self.state = state
        self.sentence = sentence
        self.do = do

    def to_json(self) -> dict[str, str]:
        """For `--json`."""
        return {
            "subject": self.subject,
            "state": self.state,
            "sentence": self.sentence,
            "do": self.do,
        }


def execute(words: list[str]) -> int:
    """Check everything; 1 when something is wrong."""
    parser = Parser(
        prog="codesuture doctor",
        description="Check the installation, what starts the agent, versions, permissions, other "
        "tools' hooks, the configuration, the store and the cache; say what to do.",
    )
    parser.add_argument("--venv", metavar="DIR", help="the environment (default: the current one)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse(words)
    try:
        found = status(asked.venv)
    except VenvError as problem:
        raise Failure(str(problem), problem.hint) from None
    findings = examine(found)
    healthy = all(finding.state != WRONG for finding in findings)
    if asked.json:
        said = {"healthy": healthy, "findings": [finding.to_json() for finding in findings]}
        print(json.dumps(said, indent=2))
    else:
        _print(findings, healthy)
    return 0 if healthy else 1


def examine(found: Status) -> list[Finding]:
    """All checks, of the interpreter that is meant and of the working directory."""
    place = found.place
    cache = _cache()  # before the agent is tried, which makes a key where there is none
    findings = [_python(found), _package(place)]
    if all(finding.state == GOOD for finding in findings):
        trial = try_agent(place)
        findings += [*_versions(place, trial), _dependencies(place, trial)]
        findings += [*_start_files(place), _agent(place, trial)]
        findings += _other_tools(trial)
    findings.append(_switch(found))
    config, finding = _configuration()
    findings.append(finding)
    if config is not None:
        findings += _store(config)
    return findings + cache


def _python(found: Status) -> Finding:
    place = found.place
    version = ".".join(str(part) for part in place.version)
    name = f"{place.implementation} {version} ({place.python})"
    if not found.supported:
        return Finding("Python", WRONG, f"{name} is not supported", "use CPython 3.11 to 3.15")
    return Finding("Python", GOOD, name)


def _package(place: Place) -> Finding:
    if place.is_installed:
        return Finding("Package", GOOD, str(place.package))
    missing = "codesuture_agent" if place.package else "codesuture"
    sentence = f"{missing} is not installed in {place.prefix}"
    return Finding("Package", WRONG, sentence, f"{place.python} {_REINSTALL}")


def _versions(place: Place, trial: Trial) -> list[Finding]:
    """Whether the files are of the version that was installed."""
    if len(trial.versions) != 2 or trial.versions[0] == trial.versions[1]:
        return []
    files, recorded = trial.versions
    if not recorded:
        sentence = f"no installer has put it there; its files are of version {files}"
        return [Finding("Package", NOTE, sentence)]
    sentence = f"its files are of version {files}, but {recorded} is recorded as installed"
    return [Finding("Package", WRONG, sentence, f"{place.python} {_REINSTALL}")]


def _dependencies(place: Place, trial: Trial) -> Finding:
    if not trial.missing:
        return Finding("Needs", GOOD, "all packages that codesuture needs are there")
    sentence = f"not there, or too old: {', '.join(trial.missing)}"
    again = f"{place.python} -m pip install --force-reinstall {' '.join(trial.missing)}"
    return Finding("Needs", WRONG, sentence, again)


def _start_files(place: Place) -> list[Finding]:
    findings = []
    for name, line in LINES.items():
        path = os.path.join(place.folder, name)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                content = file.read()
        except FileNotFoundError:
            continue
        except OSError as error:
            sentence = f"{path} cannot be read ({error.strerror})"
            findings.append(Finding("Start file", WRONG, sentence, "mend its permissions"))
            continue
        if content.strip() != line.strip():
            again = f"{place.python} {_REINSTALL}" if name == INSTALLED else "codesuture enable"
            findings.append(
                Finding("Start file", WRONG, f"{path} is not the one of this version", again)
            )
        else:
            findings.append(Finding("Start file", GOOD, path))
    for name in LINES:
        path = os.path.join(place.folder, name.removesuffix(".pth") + ".start")
        if place.version >= _START_FILES and os.path.lexists(path):
            sentence = f"{path} keeps Python from reading the .pth file beside it (PEP 829)"
            findings.append(Finding("Start file", WRONG, sentence, "remove it"))
    if not findings:
        enabling = "codesuture enable" if place.is_venv else f"{place.python} {_REINSTALL}"
        sentence = "there is none, so nothing but `codesuture run` starts the agent"
        findings.append(Finding("Start file", NOTE, sentence, enabling))
    return findings


def _agent(place: Place, trial: Trial) -> Finding:
    """What a Python that is started with CODESUTURE=1 does."""
    if trial.problem:
        return Finding("Agent", WRONG, trial.problem, f"{place.python} {_REINSTALL}")
    if trial.said:
        return Finding("Agent", WRONG, f"it says: {trial.said}", "see there")
    if trial.active:
        return Finding("Agent", GOOD, "starts where CODESUTURE=1 is set")
    if any(place.has(name) for name in LINES):
        sentence = "it does not start although CODESUTURE=1 is set"
        do = f"look whether {place.python} reads {place.folder} (python -m site)"
        return Finding("Agent", WRONG, sentence, do)
    return Finding("Agent", NOTE, "it does not start: there is no start file")


def _other_tools(trial: Trial) -> list[Finding]:
    """Other tools that change how Python starts or imports: good to know, wrong in no case."""
    findings = []
    if trial.hooks:
        sentence = f"other import hooks: {', '.join(trial.hooks)}"
        do = "modules that they load are armed when they come from a loader's get_code"
        findings.append(Finding("Other tools", NOTE, sentence, do))
    if trial.lines:
        sentence = f"other .pth files that run code: {', '.join(trial.lines)}"
        findings.append(Finding("Other tools", NOTE, sentence))
    if trial.customized:
        sentence = f"there is a {' and a '.join(trial.customized)}, run at every start"
        findings.append(Finding("Other tools", NOTE, sentence))
    return findings


def _switch(found: Status) -> Finding:
    if found.active:
        return Finding("Active here", GOOD, found.reason)
    return Finding("Active here", NOTE, found.reason, found.do)


def _configuration() -> tuple[Config | None, Finding]:
    try:
        config = load(os.getcwd())
    except ConfigError as problem:
        do = problem.hint or "codesuture config show"
        return None, Finding("Configuration", WRONG, str(problem), do)
    except OSError as problem:
        do = "change to a directory that exists and that you can read"
        return None, Finding("Configuration", WRONG, in_words(problem), do)
    if config.notes:
        return config, Finding("Configuration", NOTE, "; ".join(config.notes))
    return config, Finding("Configuration", GOOD, config.path or "none, all defaults")


def _store(config: Config) -> list[Finding]:
    store = Store(config.store)
    try:
        store.check()
        count = len(store.patches())
        rejections = store.rejections()
    except StoreError as problem:
        return [Finding("Store", WRONG, str(problem))]
    findings = [
        Finding("Store", WRONG, problem, "mend or remove the file") for problem in store.problems
    ]
    place = config.store
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.access(place, os.W_OK | os.X_OK):
        sentence = f"{place} cannot be written: heals work, but no patch is kept"
        findings.append(Finding("Store", WRONG, sentence, "mend it, or set CODESUTURE_STORE"))
    elif not findings:
        held = counted(count, "patch", "patches")
        findings.append(Finding("Store", GOOD, f"{config.store} ({held})"))
    if rejections:
        last = max(rejections, key=lambda one: one.created)
        sentence = (
            f"{counted(len(rejections), 'module', 'modules')} ran without codesuture, because the "
            f"gate rejected what was to be done to it; the last is {last.name}: {last.reason}"
        )
        do = "report it, it is a fault of codesuture; then remove the store's folder rejections"
        findings.append(Finding("Gate", WRONG, sentence, do))
    return findings


def _cache() -> list[Finding]:
    problem = cachekey.problem()
    if problem:
        do = "give the user a configuration folder of their own, or set XDG_CONFIG_HOME to one"
        return [Finding("Cache", NOTE, problem, do)]
    if sys.dont_write_bytecode:
        sentence = "armed code is not cached, because PYTHONDONTWRITEBYTECODE or -B is set"
        return [Finding("Cache", NOTE, sentence, "unset it: every start arms all modules again")]
    return [Finding("Cache", GOOD, "armed code is kept beside the .pyc files")]


def _print(findings: list[Finding], healthy: bool) -> None:
    screen = Screen(sys.stdout, "auto")
    for finding in findings:
        state = screen.paint(f"{finding.state:<6}", _COLOURS[finding.state])
        screen.line(f"{state}{finding.subject:<14}{plain(finding.sentence)}")
        if finding.do:
            screen.line(f"{'':20}-> {plain(finding.do)}")
    screen.line()
    screen.line("All is well." if healthy else "Something is wrong; what to do stands behind ->.")
