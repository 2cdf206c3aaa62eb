"""The types that a configuration value can have: checked, read from text, shown.

`ValueError` from here carries the end of a sentence ("must be ..., not ..."); whoever knows
where the value stands puts file, line and key in front of it.
"""

from __future__ import annotations

TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off")

_PATTERN_SIGNS = "_.*?[]!-"


def toml_type(value: object) -> str:
    """What TOML calls the type of `value`, with its article: `a string`, `an integer`."""
    names = {
        bool: "a boolean",
        int: "an integer",
        float: "a float",
        str: "a string",
        list: "an array",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")


class Kind:
    """One type of value; `expects` completes the sentence "must be ..."."""

    __slots__ = ("expects",)

    def __init__(self, expects: str) -> None:
        self.expects = expects

    def check(self, value: object) -> object:
        """`value`, as read from TOML, in the form the program uses; ValueError if it is wrong."""
        raise NotImplementedError

    def parse(self, text: str) -> object:
        """The value that `text` (a variable, a flag, `config set`) stands for, as TOML has it."""
        return text

    def wrong(self, value: object) -> ValueError:
        """The error for a value of another type."""
        shown = f" {value!r}" if type(value) in (bool, int, float, str) else ""
        return ValueError(f"must be {self.expects}, not {toml_type(value)}{shown}")


class Text(Kind):
    """A string that is not empty."""

    def check(self, value: object) -> object:
        """See `Kind.check`."""
        if type(value) is not str or not value.strip():
            raise self.wrong(value)
        return value


class Choice(Kind):
    """One of a few words."""

    __slots__ = ("words",)

    def __init__(self, *words: str) -> None:
        super().__init__(", ".join(words[:-1]) + " or " + words[-1])
        self.words = words

    def check(self, value: object) -> object:
        """See `Kind.check`."""
        if type(value) is not str or value not in self.words:
            raise self.wrong(value)
        return value


class Switch(Kind):
    """A boolean."""

    def check(self, value: object) -> object:
        """See `Kind.check`."""
        if type(value) is not bool:
            raise self.wrong(value)
        return value

    def parse(self, text: str) -> object:
        """See `Kind.parse`; takes the words that people use for booleans."""
        word = text.strip().lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise ValueError(f"must be true or false, not {text!r}")


class Whole(Kind):
    """An integer that is not below `least`."""

    __slots__ = ("least",)

    def __init__(self, least: int) -> None:
        super().__init__(f"an integer of at least {least}")
        self.least = least

    def check(self, value: object) -> object:
        """See `Kind.check`."""
        if type(value) is not int or value < self.least:
            raise self.wrong(value)
        return value

    def parse(self, text: str) -> object:
        """See `Kind.parse`."""
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"must be {self.expects}, not {text!r}") from None


class WholeUpTo(Whole):
    """An integer that is neither below `least` nor above `most`."""

    __slots__ = ("most",)

    def __init__(self, least: int, most: int) -> None:
        super().__init__(least)
        self.expects = f"an integer from {least} to {most}"
        self.most = most

    def check(self, value: object) -> object:
        """See `Kind.check`."""
        if type(value) is not int or not self.least <= value <= self.most:
            raise self.wrong(value)
        return value


class Days(Kind):
    """A number of days above zero, fractions allowed."""

    MOST = 365_000

    def check(self, value: object) -> object:
        """See `Kind.check`."""
        if type(value) not in (int, float):
            raise self.wrong(value)
        days = float(value)  # type: ignore[arg-type]
        if not 0 < days <= self.MOST:  # also false for nan
            raise self.wrong(value)
        return days

    def parse(self, text: str) -> object:
        """See `Kind.parse`."""
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"must be {self.expects}, not {text!r}") from None


class DaysOrNone(Days):
    """A number of days, fractions allowed; zero for none at all."""

    def check(self, value: object) -> object:
        """See `Kind.check`."""
        return 0.0 if type(value) in (int, float) and value == 0 else super().check(value)


class Names(Kind):
    """A list of strings, each checked by `check_one`; in text separated by commas."""

    def check(self, value: object) -> object:
        """See `Kind.check`; the result is a tuple."""
        if type(value) is not list:
            raise self.wrong(value)
        for item in value:
            if type(item) is not str:
                raise ValueError(f"must be {self.expects}; one entry is {toml_type(item)}")
            self.check_one(item)
        return tuple(value)

    def parse(self, text: str) -> object:
        """See `Kind.parse`."""
        return [item.strip() for item in text.split(",") if item.strip()]

    def check_one(self, item: str) -> None:
        """ValueError if `item` cannot be an entry."""
        raise NotImplementedError


class Patterns(Names):
    """Module patterns in the style of fnmatch on dotted names."""

    def check_one(self, item: str) -> None:
        """See `Names.check_one`."""
        if not item or not all(sign.isalnum() or sign in _PATTERN_SIGNS for sign in item):
            raise ValueError(
                f"must be {self.expects}; {item!r} is not one "
                "(patterns name modules, like shop.models or shop.*, not files)"
            )


class Distributions(Names):
    """Names of distributions, perhaps with wildcards as in fnmatch."""

    def check_one(self, item: str) -> None:
        """See `Names.check_one`."""
        if not item or not all(sign.isalnum() or sign in _PATTERN_SIGNS for sign in item):
            raise ValueError(
                f"must be {self.expects}; {item!r} is not one "
                "(a distribution's name is what pip installs, without its version)"
            )


class Words(Names):
    """Words to look for in names."""

    def check_one(self, item: str) -> None:
        """See `Names.check_one`."""
        if not any(sign.isalnum() for sign in item):
            raise ValueError(f"must be {self.expects}; {item!r} is not one")


class Places(Names):
    """Functions, each as `module:qualname`."""

    def check_one(self, item: str) -> None:
        """See `Names.check_one`."""
        module, colon, qualname = item.partition(":")
        if not (module.strip() and colon and qualname.strip()) or ":" in qualname:
            raise ValueError(f"must be {self.expects}; {item!r} is not one")


class Methods(Names):
    """HTTP methods that a request may have to be run again: safe ones (RFC 9110, 9.2.1)."""

    SAFE = ("GET", "HEAD", "OPTIONS")

    def check_one(self, item: str) -> None:
        """See `Names.check_one`."""
        if item not in self.SAFE:
            raise ValueError(
                f"must be {self.expects}; {item!r} is not one of them (a request that changes "
                "something is never run again)"
            )


class HeaderName(Kind):
    """The name of an HTTP header: a token of RFC 9110, 5.6.2."""

    _SIGNS = "!#$%&'*+-.^_`|~"

    def check(self, value: object) -> object:
        """See `Kind.check`."""
        if type(value) is not str:
            raise self.wrong(value)
        if not value or not all(
            sign.isascii() and (sign.isalnum() or sign in self._SIGNS) for sign in value
        ):
            raise ValueError(f"must be {self.expects}, not {value!r}")
        return value


class Table(Kind):
    """A table whose names are not fixed; every value is of the kind `of`."""

    __slots__ = ("of",)

    def __init__(self, expects: str, of: Kind) -> None:
        super().__init__(expects)
        self.of = of

    def check(self, value: object) -> object:
        """See `Kind.check`; checks only that it is a table, its entries are checked one by one."""
        if type(value) is not dict:
            raise self.wrong(value)
        return value

    def check_name(self, name: str) -> None:
        """ValueError if `name` cannot be a name in this table."""
        raise NotImplementedError

    def parse(self, text: str) -> object:
        """See `Kind.parse`; `name=value` separated by commas."""
        table: dict[str, object] = {}
        for item in text.split(","):
            name, sign, value = item.partition("=")
            if item.strip():
                if not sign:
                    raise ValueError(f"must be name=value pairs separated by commas, not {text!r}")
                table[name.strip()] = self.of.parse(value.strip())
        return table


class UnknownGuard(ValueError):
    """A guard name that nobody registered."""

    def __init__(self, name: str) -> None:
        super().__init__(f"names {name!r}, which is not a guard")
        self.name = name


class Guards(Table):
    """Guard names, each on or off."""

    def check_name(self, name: str) -> None:
        """See `Table.check_name`."""
        from codesuture.guards.names import is_registered

        if not is_registered(name):
            raise UnknownGuard(name)


class Severities(Table):
    """Functions, module patterns, guards, exceptions and actions, each with a severity."""

    def check_name(self, name: str) -> None:
        """See `Table.check_name`."""
        module, colon, qualname = name.partition(":")
        if not module.strip() or (colon and not qualname.strip()):
            raise ValueError(f"names {name!r}; a function is module:qualname")


class Literal(Kind):
    """A string that holds a Python literal, read by `defaults.Recipe.parse`."""

    def check(self, value: object) -> object:
        """See `Kind.check`; the text is kept, its value is only tried."""
        if type(value) is not str:
            raise self.wrong(value)
        from codesuture.defaults.recipe import Recipe

        try:
            Recipe.parse(value)
        except Exception as problem:
            raise ValueError(f"must be {self.expects}, not {value!r} ({problem})") from None
        return value


class Defaults(Table):
    """Places (`module:qualname`, `module:qualname:target`) or guard names, each with a literal."""

    def check_name(self, name: str) -> None:
        """See `Table.check_name`."""
        module, colon, rest = name.partition(":")
        if colon:
            if not module.strip() or not rest.partition(":")[0].strip():
                raise ValueError(f"names {name!r}; a place is module:qualname[:target]")
            return
        from codesuture.guards.names import is_registered

        if not is_registered(name):
            raise UnknownGuard(name)
