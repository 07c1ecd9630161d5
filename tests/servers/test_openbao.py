"""The OpenBao that the tests start is a real one: it seals, stops, comes back and audits."""

from __future__ import annotations

import hvac
import pytest
import requests

from tests.servers.openbao import OpenBaoProcess
from tests.servers.plugin import RecordSecret


def kept(server: OpenBaoProcess, path: str) -> object:
    return server.client().secrets.kv.v2.read_secret_version(path, raise_on_deleted_version=True)[
        "data"
    ]["data"]


def test_what_is_written_is_read_back_and_audited_without_the_secret(
    openbao_server: OpenBaoProcess, record_secret: RecordSecret
) -> None:
    secret = "an-api-key-kept-in-openbao"
    record_secret(secret)
    openbao_server.client().secrets.kv.v2.create_or_update_secret("written", {"key": secret})
    assert kept(openbao_server, "written") == {"key": secret}
    assert "secret/data/written" in openbao_server.audit_log.read_text()
    assert secret not in openbao_server.audit_log.read_text()


def test_a_sealed_server_gives_nothing_until_it_is_unsealed(openbao_server: OpenBaoProcess) -> None:
    openbao_server.client().secrets.kv.v2.create_or_update_secret("sealed", {"a": "1"})
    openbao_server.seal()
    with pytest.raises(hvac.exceptions.VaultDown):
        kept(openbao_server, "sealed")
    openbao_server.unseal()
    assert kept(openbao_server, "sealed") == {"a": "1"}


@pytest.mark.parametrize("kill", [True, False])
def test_a_stopped_server_is_gone_and_comes_back_with_what_it_had(
    openbao_server: OpenBaoProcess, kill: bool
) -> None:
    openbao_server.client().secrets.kv.v2.create_or_update_secret("stopped", {"a": "1"})
    openbao_server.stop(kill=kill)
    with pytest.raises(requests.ConnectionError):
        kept(openbao_server, "stopped")
    openbao_server.start()
    assert kept(openbao_server, "stopped") == {"a": "1"}
