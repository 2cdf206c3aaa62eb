"""What the key table says, as a page and as a template.

`python -m codesuture.config.document > docs/configuration.md` writes the page.
"""

from __future__ import annotations

import json
import sys
from textwrap import fill

from codesuture.config.keys import KEYS, Key
from codesuture.config.kinds import Table

_INTRODUCTION = """\
<!-- Written by `python -m codesuture.config.document > docs/configuration.md`; do not edit. -->
# Configuration

codesuture works without any configuration. Where a value is wanted, it is taken from, in this
order, the later winning:

1. the default,
2. the nearest file from the working directory upward: `codesuture.toml`, or a `pyproject.toml`
   with a `[tool.codesuture]` table (which codesuture only reads; where both stand in one folder,
   `codesuture.toml` counts and the other is ignored),
3. the environment variable of the key (an empty one counts as not set; lists are separated by
   commas, tables are `name=value` pairs separated by commas),
4. the flag of the command, where it has one (`codesuture run --ttl 3`).

`codesuture config` shows every value with where it came from; `codesuture config set ttl 3`
changes `codesuture.toml` and keeps its comments; `codesuture config init` writes one in which every
key stands with its default. An unknown key, an unknown `CODESUTURE_*` variable and a value of the
wrong type are errors that name the file, the line, the key and the nearest key that exists. With
such an error commands end with exit code 2, and a program under the agent runs as it would
without codesuture.

`CODESUTURE` itself is not a key: it is the switch. `CODESUTURE=1` turns the agent on,
`CODESUTURE=0` turns it off and always wins. `CODESUTURE_RUN` is how `codesuture run` hands its
flags to the agent.

| key | type | default | variable | meaning |
|---|---|---|---|---|
"""

_EXAMPLE = """
## An example

```toml
ttl = 3
protect = ["shop.billing", "shop.billing.*"]

[guards]
division_guard = false

[defaults]
"shop.views:get_bio" = '"no biography"'
"shop.views:get_bio:profile" = 'None'
key_guard = '""'

[breaker]
frame = 100
```
"""

_TEMPLATE_HEAD = """\
# The configuration of codesuture. Every key stands here with its default;
# take the "# " away to change one.
"""


def page() -> str:
    """The text of docs/configuration.md."""
    return _INTRODUCTION + "".join(_row(key) for key in KEYS) + _EXAMPLE


def template() -> str:
    """The text of a new codesuture.toml."""
    plain = [key for key in KEYS if "." not in key.name and not isinstance(key.kind, Table)]
    text = _TEMPLATE_HEAD + "".join(_commented(key, key.name) for key in plain)
    heads = dict.fromkeys(key.name.partition(".")[0] for key in KEYS if key not in plain)
    for head in heads:
        inside = [key for key in KEYS if key.name.startswith(head + ".")]
        about = "".join(f"\n{_comment(key.meaning)}" for key in KEYS if key.name == head)
        text += f"{about}\n[{head}]\n" + "".join(
            _commented(key, key.name.removeprefix(head + ".")) for key in inside
        )
    return text


def _row(key: Key) -> str:
    variable = f"`{key.variable}`" if key.variable else "none"
    meaning = key.meaning.replace("|", "\\|")
    return f"| `{key.name}` | {key.type} | `{_shown(key)}` | {variable} | {meaning} |\n"


def _commented(key: Key, name: str) -> str:
    return f"\n{_comment(key.meaning)}\n# {name} = {_shown(key)}\n"


def _comment(meaning: str) -> str:
    """The meaning as TOML comment lines, without Markdown's quotes."""
    return fill(
        meaning.replace("`", ""), 98, initial_indent="# ", subsequent_indent="# ",
        break_on_hyphens=False,
    )


def _shown(key: Key) -> str:
    """The default as TOML; written without tomli-w, as this has to work in any checkout."""
    default = key.default
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, list):
        return json.dumps(default)
    if isinstance(default, str):
        return f'"{default}"'
    return f"{default:g}" if isinstance(default, float) else str(default)


if __name__ == "__main__":
    sys.stdout.write(page())
