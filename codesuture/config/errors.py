"""What a wrong configuration raises, and how the nearest right name is found."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class ConfigError(Exception):
    """A configuration that cannot be used; its text is a sentence for the user.

    `hint` is a second sentence that says what to do, or empty; `key` is the dotted name of the
    key (or the entry of a table) that is wrong, or empty.
    """

    def __init__(self, message: str, hint: str = "", key: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.key = key

    def at(self, place: str) -> ConfigError:
        """The same error with the place in front: a file and line, a variable, a flag."""
        return ConfigError(f"{place}: {self}", self.hint, self.key)


def in_words(problem: OSError) -> str:
    """What the operating system refused, without its error number."""
    if problem.filename:
        return f"{problem.filename}: {problem.strerror}"
    if type(problem) is FileNotFoundError:  # what os.getcwd() raises
        return "the working directory does not exist any more"
    return str(problem)


def did_you_mean(wrong: str, names: Iterable[str]) -> str:
    """The hint that names the entry of `names` nearest to `wrong`; empty when none is near."""
    from difflib import get_close_matches

    near = get_close_matches(wrong, list(names), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""
