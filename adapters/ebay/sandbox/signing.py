"""The key that signs notifications: P-256, ECDSA over SHA-1 of the body, as the vendor's SDKs verify it."""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.contract import Rng
from adapters.ebay.sandbox.errors import Json


class SigningKey:
    """Really generated anew for each sandbox, so no seed repeats it; its id is drawn from the seed."""

    def __init__(self, rng: Rng) -> None:
        self.id = str(rng.uuid())
        self._private = ec.generate_private_key(ec.SECP256R1())

    def header(self, body: bytes) -> str:
        """The value of X-EBAY-SIGNATURE for a body."""
        signature = self._private.sign(body, ec.ECDSA(hashes.SHA1()))  # noqa: S303  the vendor's choice
        told = {"alg": "ecdsa", "kid": self.id, "signature": base64.b64encode(signature).decode(), "digest": "SHA1"}
        return base64.b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()

    def forged_header(self, body: bytes) -> str:
        """A rightly shaped signature of other bytes."""
        return self.header(body + b" ")

    def public(self) -> Json:
        """As getPublicKey answers: the PEM lies on one line."""
        pem = self._private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {"key": pem.decode().replace("\n", ""), "algorithm": "ECDSA", "digest": "SHA1"}
