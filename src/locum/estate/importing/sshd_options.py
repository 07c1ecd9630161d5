"""What sshd takes, out of sshd_config.

The first word of each option counts, as sshd reads it. What an included file may say, and what a
`Match` allows to some, may hold for anybody. `sshd -T` prints what holds in the end.

Source: sshd_config(5).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from locum.estate.importing.export import Export
from locum.estate.importing.refusing import decoded

_SAME = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
}
_NONE = ("", "none")


class Options(msgspec.Struct, frozen=True):
    """Values of options, in lower case.

    Args:
        said: outside of any `Match`.
        matched: values of a `Match`, which hold for some.
        included: options that stand after the first `Include`, or nowhere, may be said there.
    """

    said: Mapping[str, str] = {}
    matched: Mapping[str, frozenset[str]] = {}
    included: bool = False

    def may_be(self, option: str, value: str, default: str) -> bool:
        """Whether an option may have a value, for somebody."""
        said = self.said.get(option)
        unknown = said is None and self.included
        return unknown or (said or default) == value or value in self.matched.get(option, ())

    @property
    def takes_passwords(self) -> bool:
        """Whether somebody may type a password, to sshd or through PAM."""
        through_pam = self.may_be("usepam", "yes", "no") and self.may_be(
            "kbdinteractiveauthentication", "yes", "yes"
        )
        return through_pam or self.may_be("passwordauthentication", "yes", "yes")

    @property
    def takes_keys(self) -> bool:
        """Whether somebody may come with a key."""
        return self.may_be("pubkeyauthentication", "yes", "yes")

    @property
    def lets_root_in(self) -> bool:
        """Whether root may come by anything."""
        return self.said.get("permitrootlogin") != "no" or self._root_may(
            "yes", "prohibit-password"
        )

    @property
    def lets_root_in_by_password(self) -> bool:
        """Whether root may type a password."""
        return self.may_be("permitrootlogin", "yes", "prohibit-password")

    def names(self, option: str) -> bool:
        """Whether an option may name a file or a command."""
        said = self.said.get(option, "")
        unknown = option not in self.said and self.included
        return (
            unknown or said not in _NONE or bool(self.matched.get(option, frozenset()) - {"none"})
        )

    def _root_may(self, *values: str) -> bool:
        return not self.matched.get("permitrootlogin", frozenset()).isdisjoint(values)


def read_sshd(export: Export) -> Options:
    """The options of a host's sshd.

    Raises:
        EstateError: it is no text.
    """
    said: dict[str, str] = {}
    matched: dict[str, set[str]] = {}
    included = in_match = False
    for text in decoded(export.whole(), export.file).splitlines():
        words = text.split("#")[0].replace("=", " ", 1).split()
        if len(words) < 2:
            continue
        option = _SAME.get(words[0].lower(), words[0].lower())
        value = words[1].strip('"').lower()
        if option == "match":
            in_match = True
        elif option == "include":
            included = True
        elif in_match:
            matched.setdefault(option, set()).add(value)
        elif not included or option in said:
            said.setdefault(option, value)
        else:
            # The included file may have said otherwise before.
            matched.setdefault(option, set()).add(value)
    kept = {option: frozenset(values) for option, values in matched.items()}
    return Options(said, kept, included)
