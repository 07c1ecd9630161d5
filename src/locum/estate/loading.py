"""Load an estate from a file or a folder of files, whole or not at all."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from locum.estate import parsing
from locum.estate.crossing import cross_check
from locum.estate.document import LARGEST, Document, Field, read_document
from locum.estate.place import position_of, problem_at
from locum.estate.possible import impossible
from locum.estate.problem import EstateError, Position, Problem
from locum.estate.validation import validate
from locum.laws.declaration import Finding, judge_estate
from locum.model.digest import digest
from locum.model.estate import Estate
from locum.model.names import Digest, GroupName, IdentityName

_SECTIONS = ("identities", "groups", "databases", "trust", "roots", "found", "observed")


class Loaded(msgspec.Struct, frozen=True):
    """An estate with the document that it came from.

    Args:
        document: what stands where (`position_of`), for what is found out later.
        remarks: what does not refuse it, e.g. a method that nobody knows.
    """

    estate: Estate
    document: Document
    remarks: tuple[Problem, ...] = ()


def load(source: Path) -> Loaded:
    """Read an estate.

    Args:
        source: a YAML file, or a folder whose `*.yaml` and `*.yml` are read together.

    Raises:
        EstateError: with every problem found; nothing of it is used.
    """
    document = _read_all(source)
    problems = _in_order((*cross_check(document), *impossible(document)))
    if any(problem.severity == "error" for problem in problems):
        raise EstateError(problems)
    return Loaded(_estate(document), document, problems)


def load_lawful(source: Path, now: datetime) -> Loaded:
    """Read an estate that breaks no law.

    Raises:
        EstateError: with every problem found, broken laws included.
    """
    loaded = load(source)
    errors = tuple(one for one in judged(loaded, now) if one.severity == "error")
    if errors:
        raise EstateError(errors)
    return loaded


def judged(loaded: Loaded, now: datetime) -> tuple[Problem, ...]:
    """What the laws say of each declared path by itself, in the order of the files."""
    findings = judge_estate(loaded.estate, now)
    return _in_order(
        (*loaded.remarks, *(_located(finding, loaded.document) for finding in findings))
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


def _estate(document: Document) -> Estate:
    value = document.value
    unnamed = Estate(
        {
            IdentityName(name): parsing.identity(name, raw)
            for name, raw in value["identities"].items()
        },
        {
            GroupName(name): frozenset(IdentityName(one) for one in members)
            for name, members in value["groups"].items()
        },
        {name: parsing.database(name, raw) for name, raw in value["databases"].items()},
        Digest(""),
        {name: parsing.trust(name, raw) for name, raw in value["trust"].items()},
    )
    return msgspec.structs.replace(unnamed, digest=digest(unnamed))


def _read_all(source: Path) -> Document:
    documents: list[Document] = []
    problems: list[Problem] = []
    for file, name in _files(source):
        try:
            document = read_document(_bytes_of(file, name), name)
        except EstateError as error:
            problems += error.problems
            continue
        problems += validate(document)
        documents.append(document)
    if problems:
        raise EstateError(tuple(problems))
    return _merged(documents)


def _files(source: Path) -> list[tuple[Path, str]]:
    """The files of an estate, each with the name that problems show; hidden ones are not read."""
    try:
        if not source.is_dir():
            return [(source, _printable(source))]
        files = sorted(
            file
            for file in source.iterdir()
            if file.suffix in (".yaml", ".yml") and not file.name.startswith(".")
        )
    except OSError as error:
        raise _unreadable(_printable(source), error.strerror or "unknown reason") from None
    if files:
        return [(file, _printable(file)) for file in files]
    problem = Problem(
        Position(_printable(source), 1, 1),
        "unreadable", "", "", "The folder holds no .yaml file.", "Put the estate there.",
    )  # fmt: skip
    raise EstateError((problem,))


def _bytes_of(file: Path, name: str) -> bytes:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise _unreadable(name, "it is not a regular file")
        with file.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is no file's"
        raise _unreadable(name, reason) from None


def _printable(file: Path) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in file.as_posix())


def _unreadable(name: str, reason: str) -> EstateError:
    problem = Problem(
        Position(name, 1, 1),
        "unreadable", "", "", f"It cannot be read: {reason}.",
        "Check the name, and that the user who runs Locum may read it.",
    )  # fmt: skip
    return EstateError((problem,))


def _merged(documents: Iterable[Document]) -> Document:
    """Put the documents of a folder together; a name stands in one of them only."""
    whole = Document({section: {} for section in _SECTIONS}, {})
    problems: list[Problem] = []
    for document in documents:
        for section in _SECTIONS:
            for key, one in document.value.get(section, {}).items():
                if key in whole.value[section]:
                    fact = f"`{key}` is declared in two files."
                    problem = problem_at(
                        document, (section, key), "duplicate-key", fact, "Remove one of the two."
                    )
                    related = whole.positions[(section, key)]
                    problems.append(msgspec.structs.replace(problem, related=related))
                    continue
                whole.value[section][key] = one
        whole.positions.update(
            (place, at) for place, at in document.positions.items() if place not in whole.positions
        )
    if problems:
        raise EstateError(tuple(problems))
    return whole


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.position))
