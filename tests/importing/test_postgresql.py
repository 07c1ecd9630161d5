"""PostgreSQL: a line of pg_hba.conf counts for whomever it may be about."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from locum.estate.importing.export import in_memory
from locum.estate.importing.postgresql import ask_postgresql, read_postgresql
from locum.estate.named_once import refuse_twice_named
from locum.estate.problem import EstateError
from tests.servers.postgres import PostgresProcess

ROLES = "rolname,rolsuper,rolcanlogin,rolvaliduntil\nbob,f,t,\n"
GROUPS = (
    "rolname,rolsuper,rolcanlogin,rolvaliduntil,memberof\n"
    'bob,f,t,,"{ops,""a b""}"\nops,f,f,,{dba}\n"a b",f,f,,{}\ndba,f,f,,{}\n'
)
TRUSTED, SHUT = ["postgresql-trust"], ["unknown"]


def _methods(hba: str, roles: str = ROLES) -> list[str]:
    inventory = read_postgresql(in_memory(roles.encode(), "r"), in_memory(hba.encode(), "h"))
    return [one.methods[0] for one in inventory.ways]


@pytest.mark.parametrize(
    ("user", "roles", "methods"),
    [
        ("all", ROLES, TRUSTED),
        ("bob", ROLES, TRUSTED),
        ('"bob"', ROLES, TRUSTED),
        ('"all"', ROLES, SHUT),
        ("eve,bob", ROLES, TRUSTED),
        ("eve, bob", ROLES, TRUSTED),
        ("eve", ROLES, SHUT),
        ("+dba", ROLES, TRUSTED),
        ("+dba", GROUPS, TRUSTED),
        ('+"a b"', GROUPS, TRUSTED),
        ("+other", GROUPS, SHUT),
        ("/^bo", ROLES, TRUSTED),
        ("/^eve", ROLES, SHUT),
        ("/^e.*e$", ROLES, SHUT),
        ("/^(e+)+$", ROLES, TRUSTED),
        ("@names", ROLES, TRUSTED),
    ],
)
def test_a_rule_is_for_whom_it_may_be_about(user: str, roles: str, methods: list[str]) -> None:
    assert _methods(f"host all {user} 0.0.0.0/0 trust\n", roles) == methods


def test_a_rule_may_go_on_in_the_next_line_and_end_in_a_comment() -> None:
    assert _methods("host all \\\n bob 0.0.0.0/0 trust # all of them\n") == TRUSTED


@pytest.mark.parametrize("word", ["include", "include_if_exists", "include_dir"])
def test_rules_of_another_file_are_asked_for(word: str) -> None:
    with pytest.raises(EstateError) as refused:
        _methods(f"# first\n{word} conf.d\n")
    assert str(refused.value.problems[0].position) == "h:2:1"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("bob,yes,t,\n", "`rolsuper` is not t or f"),
        ('"bob,f,t,\n', "not CSV"),
        ('"b"ob,f,t,\n', "not CSV"),
        ("b" * 140_000 + ",f,t,\n", "not CSV"),
    ],
)
def test_roles_that_cannot_be_read_are_refused(rows: str, said: str) -> None:
    with pytest.raises(EstateError) as refused:
        _methods("host all all 0.0.0.0/0 trust\n", ROLES.splitlines()[0] + "\n" + rows)
    assert said in refused.value.problems[0].fact


def test_a_running_server_says_who_is_in_which_group(postgres_server: PostgresProcess) -> None:
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        for name in ("estate_one", "estate_two"):
            connection.execute(f"DROP ROLE IF EXISTS {name}")
        connection.execute("CREATE ROLE estate_two LOGIN")
        connection.execute("CREATE ROLE estate_one LOGIN IN ROLE estate_two")
        try:
            inventory = ask_postgresql(postgres_server.dsn(), datetime.now(UTC))
        finally:
            connection.execute("DROP ROLE estate_one, estate_two")
    assert {"estate_one", "estate_two"} <= {one.name for one in inventory.holders}


def test_a_role_stands_once() -> None:
    twice = ROLES.splitlines()[0] + "\nbob,f,t,\nbob,t,t,\n"
    inventory = read_postgresql(in_memory(twice.encode(), "r"), in_memory(b"", "h"))
    with pytest.raises(EstateError, match="a second time"):
        refuse_twice_named(inventory)
