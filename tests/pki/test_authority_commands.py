"""The authority's commands: its own root, or below the operator's, signed by OpenSSL."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from locum.cli.main import app
from tests.pki.test_rotation import openssl
from tests.servers.program import free_port

CA = """[issuing]
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
[weak]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
"""


def locum(*words: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == code, done.output
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.stdout if code == 0 else " ".join(done.stderr.split())


class Operator:
    """The operator's own authority, and a data folder that asked for a certificate of it."""

    def __init__(self, folder: Path, *init: str) -> None:
        self.folder, self.data = folder, folder / "data"
        (folder / "ca.cnf").write_text(CA)
        self.root("root", "Example Root")
        words = ("init", self.data, "--admin", "dana", "--port", str(free_port()), *init)
        self.printed = locum(*words)

    def at(self, name: str) -> str:
        return str(self.folder / name)

    def root(self, name: str, subject: str, *how: str) -> None:
        kind = how or ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        openssl(
            "req", "-x509", "-newkey", *kind, "-nodes", "-days", "900",
            "-keyout", self.at(f"{name}.key"), "-out", self.at(f"{name}.pem"),
            "-subj", f"/CN={subject}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    def signed(self, how: str, request: str, root: str = "root", days: str = "400") -> Path:
        """What the operator's authority makes of a request, with itself after it."""
        (self.folder / "ask.csr").write_text(request)
        said = openssl(
            "x509", "-req", "-in", self.at("ask.csr"), "-CA", self.at(f"{root}.pem"), "-CAkey",
            self.at(f"{root}.key"), "-CAcreateserial", "-days", days, "-extfile",
            self.at("ca.cnf"), "-extensions", how, "-out", self.at("issuing.pem"),
        )  # fmt: skip
        chain = self.folder / "chain.pem"
        both = [(self.folder / one).read_text() for one in ("issuing.pem", f"{root}.pem")]
        chain.write_text("".join(both))
        assert "ok" in said, said
        return chain


def request_in(printed: str) -> str:
    begin, end = "-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----\n"
    return printed[printed.index(begin) : printed.index(end) + len(end)]


@pytest.mark.parametrize("key", ["p256", "ed25519"])
def test_an_authority_below_the_operators_is_asked_for_signed_and_installed(
    tmp_path: Path, key: str
) -> None:
    operator = Operator(tmp_path, "--ca", "none")
    nothing = locum("pki", "show", "--data", operator.data, code=2)
    assert "locum pki init" in nothing
    asked = request_in(locum("pki", "request", "--data", operator.data, "--key", key))
    chain = operator.signed("issuing", asked)
    assert "CN=" in locum("pki", "install", chain, "--data", operator.data)
    shown = locum("pki", "show", "--data", operator.data)
    assert len(x509.load_pem_x509_certificates(shown.encode())) == 2
    (tmp_path / "shown.pem").write_text(shown)
    said = openssl("verify", "-CAfile", operator.at("root.pem"), operator.at("shown.pem"))
    assert ": OK" in said, said


def test_init_prints_a_request_where_the_operators_authority_is_to_sign(tmp_path: Path) -> None:
    operator = Operator(tmp_path, "--ca", "csr")
    chain = operator.signed("issuing", request_in(operator.printed))
    locum("pki", "install", chain, "--data", operator.data)
    assert "BEGIN CERTIFICATE" in locum("pki", "show", "--data", operator.data)


def test_what_does_not_fit_the_request_is_not_installed(tmp_path: Path) -> None:
    operator = Operator(tmp_path, "--ca", "csr")
    asked = request_in(operator.printed)
    foreign = tmp_path / "foreign.pem"
    foreign.write_text((tmp_path / "root.pem").read_text())
    weak = operator.signed("weak", asked).read_text()
    good = operator.signed("issuing", asked).read_text()
    over = operator.signed("issuing", asked, days="-1").read_text()
    operator.root("small", "Small Root", "rsa:1024")
    small = operator.signed("issuing", asked, root="small").read_text()
    parts = [f"-----BEGIN{one}" for one in good.split("-----BEGIN")[1:]]
    for text, saying in (
        (foreign.read_text(), "not of the authority's key"),
        (weak, "may not sign"),
        ("".join(reversed(parts)), "not of the authority's key"),
        (parts[0] + parts[0], "not signed by the one after it"),
        (over, "not valid now"),
        (small, "has 1024 bits"),
        ("", "certificate"),
        ("not PEM", "certificate"),
    ):
        file = tmp_path / "odd.pem"
        file.write_text(text)
        said = locum("pki", "install", file, "--data", operator.data, code=2)
        assert saying in said, said
    locum("pki", "install", tmp_path / "nowhere.pem", "--data", operator.data, code=2)
    file.write_text(good)
    locum("pki", "install", file, "--data", operator.data)


def test_a_second_authority_is_not_made_over_the_first(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    assert (operator.data / "root-ca.key").stat().st_mode & 0o077 == 0
    again = locum("pki", "init", "--data", operator.data, code=2)
    assert "already" in again
    assert "already" in locum("pki", "request", "--data", operator.data, code=2)
