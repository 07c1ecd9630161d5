"""A client of ACME that signs whatever a test wants signed, right or wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.pki.authorities import csr
from tests.pki.rotating import PATH, RotatingWorld


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encoded(value: Any) -> str:
    return base64url(json.dumps(value).encode())


def fresh() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    x, y = (base64url(one.to_bytes(32)) for one in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def signature(key: ec.EllipticCurvePrivateKey, message: str) -> str:
    r, s = decode_dss_signature(key.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
    return base64url(r.to_bytes(32) + s.to_bytes(32))


def jws(
    key: ec.EllipticCurvePrivateKey, header: dict[str, Any], payload: Any = None
) -> dict[str, str]:
    """A flattened JWS; no payload is POST-as-GET."""
    protected = encoded({"alg": "ES256"} | header)
    said = "" if payload is None else encoded(payload)
    return {
        "protected": protected,
        "payload": said,
        "signature": signature(key, f"{protected}.{said}"),
    }


def binding(
    kid: str, secret: str, url: str, jwk: dict[str, str], alg: str = "HS256"
) -> dict[str, str]:
    """An external account binding."""
    protected, said = encoded({"alg": alg, "kid": kid, "url": url}), encoded(jwk)
    key = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    mac = hmac.digest(key, f"{protected}.{said}".encode(), "sha256")
    return {"protected": protected, "payload": said, "signature": base64url(mac)}


class AcmeClient:
    """One account key, and the account that it made."""

    def __init__(self, world: RotatingWorld) -> None:
        self.world, self.key, self.account = world, fresh(), ""
        self._http = httpx.Client(verify=world.context(), timeout=10)
        self.directory = self._http.get(f"{world.origin}/acme/directory").json()

    def nonce(self) -> str:
        return self._http.head(self.directory["newNonce"]).headers["replay-nonce"]

    def post(
        self,
        called: str,
        payload: Any = None,
        *,
        key: ec.EllipticCurvePrivateKey | None = None,
        **header: Any,
    ) -> httpx.Response:
        """A signed call; what stands in `header` overrides what is right."""
        key = key or self.key
        who = {"kid": self.account} if self.account and "jwk" not in header else {}
        whole = {"url": called, "nonce": self.nonce()} | (who or {"jwk": public(key)}) | header
        return self.send(called, jws(key, whole, payload))

    def send(self, url: str, body: Any, kind: str = "application/jose+json") -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._http.post(url, content=content, headers={"Content-Type": kind})

    def mint(self, path: str = PATH) -> dict[str, str]:
        answer = self.world.call("POST", "/v1/acme-keys", self.world.primary, json={"path": path})
        assert answer.status_code == 201, answer.text
        told: dict[str, str] = answer.json()
        return told

    def bind(self, minted: dict[str, str]) -> httpx.Response:
        url = self.directory["newAccount"]
        bound = binding(minted["kid"], minted["hmac_key"], url, public(self.key))
        return self.post(
            url,
            {"termsOfServiceAgreed": True, "externalAccountBinding": bound},
            jwk=public(self.key),
        )

    def register(self, path: str = PATH) -> None:
        answer = self.bind(self.mint(path))
        assert answer.status_code == 201, answer.text
        self.account = answer.headers["location"]

    def order(self, *names: str) -> httpx.Response:
        wanted = [{"type": "dns", "value": name} for name in names]
        return self.post(self.directory["newOrder"], {"identifiers": wanted})

    def finalize(self, order: dict[str, Any], asked: str) -> httpx.Response:
        return self.post(order["finalize"], {"csr": base64url(der(asked))})

    def fetched(self, *names: str) -> str:
        """Order, finalize and fetch: the certificate with its chain, PEM."""
        order = self.order(*names)
        assert order.status_code == 201, order.text
        done = self.finalize(order.json(), csr(fresh(), names))
        assert done.json().get("status") == "valid", done.text
        return self.post(done.json()["certificate"]).text

    def close(self) -> None:
        self._http.close()


def der(pem: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.replace(" CERTIFICATE REQUEST-", " CERTIFICATE-"))


def thumbprint(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()
