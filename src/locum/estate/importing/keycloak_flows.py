"""Keycloak's authentication flows: what a user of some credentials must present to get in.

Of a flow's executions those that are required, or conditional and asked for, are presented
together; where there are none, each alternative is enough. What a user has not set up is set up by
whoever signs in, where its required action is on. A condition that is not about what is set up may
not hold, so what it guards is not asked for.

Source: Keycloak, Server Administration Guide, "Authentication flows"; `RealmRepresentation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from locum.estate.importing.fields import Fields

Sets = tuple[frozenset[str], ...]
"""Alternatives; each is what is presented together, by types of credentials."""
UNKNOWN = "unknown"
_PRESENTS = {
    "auth-username-password-form": "password",
    "auth-password-form": "password",
    "direct-grant-validate-password": "password",
    "http-basic-authenticator": "password",
    "auth-otp-form": "otp",
    "direct-grant-validate-otp": "otp",
    "webauthn-authenticator": "webauthn",
    "webauthn-authenticator-passwordless": "webauthn-passwordless",
    "auth-recovery-authn-code-form": "recovery-authn-codes",
    "auth-x509-client-username-form": "x509",
    "direct-grant-auth-x509-username": "x509",
    "reset-credential-email": "email",
}
_ALWAYS_THERE = ("x509", "email")
"""What no credential of the export tells of."""
_NOTHING = (
    "auth-username-form", "direct-grant-validate-username", "reset-credentials-choose-user",
    "reset-password", "reset-otp", "allow-access-authenticator",
)  # fmt: skip
_ELSEWHERE = ("auth-cookie", "identity-provider-redirector", "deny-access-authenticator")
"""A session that is there, another provider, and no way in at all."""
_SET_UP_BY = {
    "otp": "CONFIGURE_TOTP",
    "webauthn": "webauthn-register",
    "webauthn-passwordless": "webauthn-register-passwordless",
    "recovery-authn-codes": "CONFIGURE_RECOVERY_AUTHN_CODES",
}
_CONFIGURED, _NOT_BY_PASSKEY = "conditional-user-configured", "conditional-credential"
_MOST = 64
"""Alternatives of a flow."""
_IMPOSSIBLE: Sets = ()
_WITHOUT_ANYTHING: Sets = (frozenset(),)


class Step(msgspec.Struct, frozen=True):
    """One execution of a flow: an authenticator, or another flow."""

    requirement: str
    authenticator: str = ""
    flow: str = ""

    @property
    def is_condition(self) -> bool:
        """Whether it asks for nothing, and decides whether its flow is gone through."""
        return self.authenticator.startswith("conditional-")


BY_DEFAULT: Mapping[str, Sequence[Step]] = {
    "browser": (
        Step("ALTERNATIVE", "webauthn-authenticator-passwordless"),
        Step("ALTERNATIVE", flow="forms"),
    ),
    "forms": (Step("REQUIRED", "auth-username-password-form"), Step("CONDITIONAL", flow="second")),
    "second": (
        Step("REQUIRED", _CONFIGURED),
        Step("ALTERNATIVE", "auth-otp-form"),
        Step("ALTERNATIVE", "webauthn-authenticator"),
        Step("ALTERNATIVE", "auth-recovery-authn-code-form"),
    ),
    "direct grant": (
        Step("REQUIRED", "direct-grant-validate-password"),
        Step("CONDITIONAL", flow="second by direct grant"),
    ),
    "second by direct grant": (
        Step("REQUIRED", _CONFIGURED),
        Step("REQUIRED", "direct-grant-validate-otp"),
    ),
    "reset credentials": (Step("REQUIRED", "reset-credential-email"),),
}
"""Much as Keycloak makes them, for a realm whose flows are not said."""


def read_flow(flow: Fields) -> tuple[str, list[Step]]:
    """A flow of an export: its alias and its executions, in order.

    Raises:
        EstateError: it is none.
    """
    steps = [
        Step(
            one.needed("requirement", "An execution"), one.text("authenticator"),
            one.text("flowAlias"),
        )
        for one in sorted(
            flow.each("authenticationExecutions"), key=lambda one: one.number("priority") or 0
        )
    ]  # fmt: skip
    return flow.needed("alias", "A flow"), steps


class Flows(msgspec.Struct, frozen=True):
    """A realm's flows.

    Args:
        steps: by alias.
        off: required actions that are off.
    """

    steps: Mapping[str, Sequence[Step]]
    off: frozenset[str] = frozenset()

    def sets(self, flow: str, has: frozenset[str]) -> Sets:
        """What gets somebody in by a flow.

        Args:
            has: types of credentials that are set up.

        Returns:
            Alternatives, each once; none where there is no way through.
        """
        return tuple(dict.fromkeys(self._sets(flow, has, ())))

    def _sets(self, flow: str, has: frozenset[str], through: tuple[str, ...]) -> Sets:
        if flow in through or flow not in self.steps:
            return (frozenset({UNKNOWN}),)
        steps = [
            one
            for one in self.steps[flow]
            if one.requirement != "DISABLED" and not one.is_condition
        ]
        within = (*through, flow)
        needed = [one for one in steps if one.requirement in ("REQUIRED", "CONDITIONAL")]
        if not needed:
            return tuple(
                found for one in steps for found in self._options(one, has, within, needed=False)
            )
        sets = _WITHOUT_ANYTHING
        for one in needed:
            if one.requirement == "CONDITIONAL" and not self._is_asked(one.flow, has):
                continue
            options = self._options(one, has, within, needed=True)
            if len(sets) * len(options) > _MOST:
                return (frozenset({UNKNOWN}),)
            sets = tuple(left | right for left in sets for right in options)
        return sets

    def _options(
        self, step: Step, has: frozenset[str], within: tuple[str, ...], *, needed: bool
    ) -> Sets:
        if step.flow:
            return self._sets(step.flow, has, within)
        if step.authenticator in _NOTHING:
            return _WITHOUT_ANYTHING
        if step.authenticator in _ELSEWHERE:
            return _IMPOSSIBLE
        presented = _PRESENTS.get(step.authenticator, UNKNOWN)
        if presented in has or presented in _ALWAYS_THERE or presented == UNKNOWN:
            return (frozenset({presented}),)
        action = _SET_UP_BY.get(presented)
        can_be_set_up = needed and action is not None and action not in self.off
        return _WITHOUT_ANYTHING if can_be_set_up else _IMPOSSIBLE

    def _is_asked(self, flow: str, has: frozenset[str]) -> bool:
        """Whether a conditional flow is surely gone through."""
        steps = [one for one in self.steps.get(flow, ()) if one.requirement != "DISABLED"]
        conditions = {one.authenticator for one in steps if one.is_condition}
        if _CONFIGURED not in conditions or not conditions <= {_CONFIGURED, _NOT_BY_PASSKEY}:
            return False
        asking = [_PRESENTS.get(one.authenticator) in has for one in steps if not one.is_condition]
        by_need = [
            _PRESENTS.get(one.authenticator) in has
            for one in steps
            if not one.is_condition and one.requirement == "REQUIRED"
        ]
        return all(by_need) if by_need else any(asking)
