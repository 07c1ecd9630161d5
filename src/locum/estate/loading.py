"""Load an estate from a file or a folder of files, whole or not at all, and check it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from locum.estate import parsing
from locum.estate.crossing import cross_check
from locum.estate.document import Document, Field, read_document
from locum.estate.problem import EstateError, Position, Problem
from locum.estate.validation import position_of, subject_and_field, validate
from locum.laws.declaration import Finding, judge_estate
from locum.model.digest import digest
from locum.model.estate import Estate
from locum.model.names import Digest, GroupName, IdentityName

_SECTIONS = ("identities", "groups", "databases")


class Loaded(msgspec.Struct, frozen=True):
    """An estate with the document that it came from, to say where things stand."""

    estate: Estate
    document: Document


class Report(msgspec.Struct, frozen=True):
    """What `locum check` found."""

    problems: tuple[Problem, ...]
    identities: int
    paths: int

    @property
    def refused(self) -> bool:
        """Whether the estate cannot be used."""
        return any(problem.severity == "error" for problem in self.problems)


def load(source: Path) -> Loaded:
    """Read an estate.

    Args:
        source: a YAML file, or a folder whose `*.yaml` and `*.yml` are read together.

    Raises:
        EstateError: with every problem found; nothing of it is used.
    """
    document = _merge(source, [_read(file, source) for file in _files(source)])
    problems = cross_check(document)
    if problems:
        raise EstateError(problems)
    value = document.value
    identities = {
        IdentityName(name): parsing.identity(name, raw)
        for name, raw in value.get("identities", {}).items()
    }
    groups = {
        GroupName(name): frozenset(IdentityName(one) for one in members)
        for name, members in value.get("groups", {}).items()
    }
    databases = {
        name: parsing.database(name, raw) for name, raw in value.get("databases", {}).items()
    }
    unnamed = Estate(identities, groups, databases, Digest(""))
    return Loaded(msgspec.structs.replace(unnamed, digest=digest(unnamed)), document)


def load_lawful(source: Path, now: datetime) -> Loaded:
    """Read an estate that breaks no law.

    Raises:
        EstateError: with every problem found, broken laws included.
    """
    loaded = load(source)
    errors = tuple(one for one in _judged(loaded, now) if one.severity == "error")
    if errors:
        raise EstateError(errors)
    return loaded


def check(source: Path, now: datetime) -> Report:
    """Find everything that is wrong with an estate: form, names, laws."""
    try:
        loaded = load(source)
    except EstateError as error:
        return Report(error.problems, 0, 0)
    return Report(_judged(loaded, now), len(loaded.estate.identities), len(loaded.estate.paths()))


def _judged(loaded: Loaded, now: datetime) -> tuple[Problem, ...]:
    findings = judge_estate(loaded.estate, now)
    return tuple(
        sorted(
            (_located(finding, loaded.document) for finding in findings),
            key=lambda problem: problem.position,
        )
    )


def _located(finding: Finding, document: Document) -> Problem:
    breach, name = finding.breach, finding.path
    place: Field = (
        "identities", name.identity, "fallbacks", name.path,
        *(part for part in breach.field.split(".") if part),
    )  # fmt: skip
    return Problem(
        position_of(document, place),
        f"law-{int(breach.law)}",
        str(name),
        breach.field,
        breach.fact,
        breach.remedy,
        finding.severity,
        breach.clauses,
    )


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        files = sorted(
            file for file in source.iterdir() if file.suffix in (".yaml", ".yml") and file.is_file()
        )
        if files:
            return files
        raise _unreadable(source, "The folder holds no .yaml file.", "Put the estate there.")
    return [source]


def _read(file: Path, source: Path) -> Document:
    name = str(file.relative_to(source.parent)) if source.is_dir() else str(source)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _unreadable(file, f"It cannot be read ({error.strerror}).", "Check it.") from None
    document = read_document(data, name)
    problems = validate(document)
    if problems:
        raise EstateError(problems)
    return document


def _merge(source: Path, documents: Iterable[Document]) -> Document:
    value: dict[str, dict[str, object]] = {section: {} for section in _SECTIONS}
    positions: dict[Field, Position] = {}
    for document in documents:
        for section in _SECTIONS:
            for key, one in document.value.get(section, {}).items():
                if key in value[section]:
                    place = (section, key)
                    subject, field = subject_and_field(place)
                    raise EstateError(
                        (
                            Problem(
                                document.positions[place],
                                "duplicate-key",
                                subject,
                                field,
                                f"`{key}` stands in {positions[place]} already.",
                                "Remove one of the two.",
                            ),
                        )
                    )
                value[section][key] = one
        positions |= document.positions
    positions.setdefault((), Position(str(source), 1, 1))
    return Document(value, positions)


def _unreadable(file: Path, fact: str, remedy: str) -> EstateError:
    return EstateError((Problem(Position(str(file), 1, 1), "unreadable", "", "", fact, remedy),))
