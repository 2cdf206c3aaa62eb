"""Examples for the help of commands whose modules do not have their own."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "codesuture run app.py in.csv             the program's own words stand behind it",
        "codesuture run --verbose app.py          say more about every heal",
        "codesuture run --dry-run -m shop.report  only say what would be done",
    ),
    "watch": (
        "codesuture watch server.py               start it again after each death",
        "codesuture watch -m jobs.worker",
    ),
    "explain": (
        "codesuture explain                       every patch",
        "codesuture explain get_bio               those of one function",
        "codesuture explain Shop.total --json",
    ),
    "fingerprints": (
        "codesuture fingerprints                  the patterns that are known, and how well",
        "codesuture fingerprints export shop.json for another project, or another user",
        "codesuture fingerprints import shop.json",
    ),
    "rollback": (
        "codesuture rollback get_bio --dry-run    show what would go",
        "codesuture rollback app:Shop.total       module:qualname, where a name is not enough",
        "codesuture rollback --all",
    ),
    "config": (
        "codesuture config                        every value, and where it comes from",
        "codesuture config set ttl 3",
        "codesuture config set protect 'billing.*,shop.money'",
        "codesuture config validate               for CI: 2 where something is wrong",
    ),
    "enable": (
        "codesuture enable                        the environment that is active",
        "codesuture enable --venv /srv/shop/venv",
    ),
    "disable": (
        "codesuture disable",
        "codesuture disable --venv /srv/shop/venv",
    ),
    "status": (
        "codesuture status",
        "codesuture status --venv /srv/shop/venv --json",
    ),
    "doctor": (
        "codesuture doctor                        1 where something is wrong",
        "codesuture doctor --json",
    ),
}


def with_examples(command: str, epilog: str | None) -> str | None:
    """What stands below a command's options: ``epilog``, and its examples."""
    examples = EXAMPLES.get(command)
    if examples is None:
        return epilog
    text = "\n".join(["examples:", *(f"  {example}" for example in examples)])
    return f"{epilog.rstrip()}\n\n{text}" if epilog else text
