"""AWS IAM, asked as it runs."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from typing import Any

from locum.estate.importing.aws import read_aws
from locum.estate.importing.export import in_memory
from locum.estate.inventory import Inventory

_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_LOOKS = 30
"""Seconds, one look each, that AWS has to make its report."""


def ask_aws(session: Any) -> Generator[Inventory, None, None]:
    """The inventory of an account, asked of AWS; it takes `SecurityAudit` and no more.

    Args:
        session: of boto3, which finds the credentials that the caller has.

    Raises:
        EstateError: the answer is not what it should be.
        TimeoutError: AWS did not make its report in time.
    """
    client = session.client("iam")
    whole: dict[str, list[Any]] = {key: [] for key in _LISTS}
    for page in client.get_paginator("get_account_authorization_details").paginate():
        for key in _LISTS:
            whole[key] += page[key]
    for _ in range(_LOOKS):
        if client.generate_credential_report()["State"] == "COMPLETE":
            break
        time.sleep(1)
    else:
        raise TimeoutError("AWS did not make its credential report in time")
    report = client.get_credential_report()["Content"]
    return read_aws(
        in_memory(json.dumps(whole, default=str).encode(), "aws"),
        in_memory(report, "credential-report"),
    )
