"""`codesuture suggest`: the source change that makes a patch unnecessary."""

from __future__ import annotations

import json
import sys

from codesuture.cli.advice import advice_for
from codesuture.cli.failure import Failure, Parser
from codesuture.cli.patches import Listing, read
from codesuture.cli.terminal import Screen, counted, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.sourcefix.suggestion import Rewrite, Suggestion

FORMATS = ("text", "diff", "json", "sarif")
_STATES = {
    "suggested": "compiles; the incident's expression was not run again",
    "checked": "compiles, and the incident's expression gives what was supplied",
    "verified": "verified: the tests pass with it, without codesuture",
}


def configure(parser: Parser) -> None:
    """Add the arguments of `suggest`."""
    parser.add_argument(
        "name", nargs="?", help="a function (bare, qualified or module:qualname) or an id"
    )
    parser.add_argument("--format", choices=FORMATS, default="text", help="text by default")
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    parser.add_argument("--apply", action="store_true", help="write the changes into the files")
    parser.add_argument(
        "--test", metavar="COMMAND", help='run this in a copy with the changes: "pytest -q"'
    )


def execute(words: list[str]) -> int:
    """Print or write the changes; 1 when there is none, or one that was wanted failed."""
    parser = Parser(
        prog="codesuture suggest",
        usage="codesuture suggest [NAME] [--format FORMAT] [--test COMMAND] [--apply]",
        description=(
            "Show the smallest source change that makes a patch unnecessary. Nothing is written "
            "without --apply, and nothing of the program runs without --test."
        ),
        epilog=(
            "examples:\n"
            "  codesuture suggest get_bio                       show the change\n"
            '  codesuture suggest get_bio --test "pytest -q"    and run the tests with it\n'
            "  codesuture suggest --apply                       write all of them\n"
            "  codesuture suggest --format diff | git apply     the same by git\n"
            "  codesuture suggest --format sarif > fix.sarif    for other tools"
        ),
    )
    configure(parser)
    asked = parser.parse(words)
    if asked.json:
        asked.format = "json"
    listing = read()
    chosen = listing.only(asked.name) if asked.name else listing
    suggestions, files = _made(chosen)
    if asked.test:
        _verify(files, asked.test, chosen, asked.format)
    written = _written(files, chosen, asked) if asked.apply else []
    _show(asked.format, chosen, suggestions, files, written)
    problems = chosen.report_problems()
    return 1 if problems or (asked.name and not files) else 0


def _made(listing: Listing) -> tuple[list[Suggestion], list[Rewrite]]:
    try:
        import libcst  # noqa: F401
    except ImportError:
        raise Failure(
            "suggesting source changes needs the package libcst",
            'install it with: python -m pip install "codesuture[suggest]"',
        ) from None
    from codesuture.sourcefix.suggestion import rewrites, suggest

    suggestions = suggest(listing.entries, listing.config.root)
    return suggestions, rewrites(suggestions, listing.config.root)


def _verify(files: list[Rewrite], command: str, listing: Listing, form: str) -> None:
    """Run the tests; Failure where they do not pass."""
    from codesuture.sourcefix.verifying import verify

    if not files:
        return
    outcome = verify(files, command, listing.config.root)
    for file in files:
        for one in file.made:
            one.tests = "passed" if outcome.passed else "failed"
    if outcome.passed:
        return
    for line in outcome.tail:
        print(plain(line), file=sys.stderr)
    raise Failure(outcome.sentence, *outcome.hints)


def _written(files: list[Rewrite], listing: Listing, asked: object) -> list[tuple[Rewrite, str]]:
    from codesuture.sourcefix.writing import write

    return write(files, listing.store.path)


def _show(
    form: str,
    listing: Listing,
    suggestions: list[Suggestion],
    files: list[Rewrite],
    written: list[tuple[Rewrite, str]],
) -> None:
    if form == "diff":
        sys.stdout.write("".join(file.diff for file in files))
        for one in suggestions:
            if one.reason:
                print(plain(f"{one.patch.name}: {one.reason}"), file=sys.stderr)
    elif form == "json":
        print(json.dumps(_as_json(listing, suggestions, files, written), indent=2))
    elif form == "sarif":
        from codesuture.sourcefix.sarif import report

        print(json.dumps(report(suggestions, listing.config.root), indent=2))
    else:
        _print(listing, suggestions, files, written)


def _as_json(
    listing: Listing,
    suggestions: list[Suggestion],
    files: list[Rewrite],
    written: list[tuple[Rewrite, str]],
) -> dict[str, object]:
    left_out = {one.patch.id: reason for file in files for one, reason in file.left_out}
    backups = {file.path: backup for file, backup in written}
    return {
        "store": listing.config.store,
        "suggestions": [
            {
                "id": one.patch.id,
                "function": one.patch.name,
                "guard": one.patch.guard,
                "target": one.patch.target,
                "file": one.shown_path,
                "line": one.patch.line,
                "state": one.state,
                "change": one.sentence if not one.reason else "",
                "reason": one.reason,
                "advice": advice_for(one.patch),
                "diff": one.diff,
                "trial": {"state": one.trial.state, "sentence": one.trial.sentence},
                "applied": one.path in backups and one.patch.id not in left_out and not one.reason,
                "left_out": left_out.get(one.patch.id, ""),
            }
            for one in suggestions
        ],
        "files": [
            {
                "file": file.shown_path,
                "diff": file.diff,
                "patches": [one.patch.id for one in file.made],
                "backup": backups.get(file.path, ""),
            }
            for file in files
        ],
        "problems": listing.problems,
    }


def _print(
    listing: Listing,
    suggestions: list[Suggestion],
    files: list[Rewrite],
    written: list[tuple[Rewrite, str]],
) -> None:
    screen = Screen(sys.stdout, listing.config.color)
    if not suggestions:
        screen.line(f"Nothing to suggest: there is no patch in {listing.config.store}")
    for number, one in enumerate(suggestions):
        if number:
            screen.line()
        _print_one(screen, one)
    for file in files:
        for one, reason in file.left_out:
            screen.line()
            screen.line(plain(f"Not together with the others: {one.patch.name}: {reason}"))
    for file, backup in written:
        screen.line()
        screen.line(
            plain(
                f"Written: {file.shown_path}, "
                f"{counted(len(file.made), 'change', 'changes')}. What it was is in {backup}"
            )
        )


def _print_one(screen: Screen, one: Suggestion) -> None:
    patch = one.patch
    head = f"{patch.name}  ({patch.guard} on `{patch.target}`, patch {patch.id})"
    screen.line(screen.paint(plain(head), "BRIGHT"))
    if one.reason:
        screen.line(plain(f"  Nothing to suggest: {one.reason}"))
        screen.line(plain(f"  {advice_for(patch)}"))
        return
    screen.line(plain(f"  {one.sentence}"))
    screen.line(plain(f"  {one.state}: {_STATES[one.state]}" if one.state != "verified"
                      else f"  {_STATES['verified']}"))  # fmt: skip
    for line in one.diff.splitlines():
        colour = {"+": "GREEN", "-": "RED"}.get(line[:1], "")
        text = plain(line.replace("\t", "    "))
        screen.line("  " + (screen.paint(text, colour) if colour else text))
