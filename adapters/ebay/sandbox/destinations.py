"""Where notifications go: the account's configuration, and endpoints that answered a challenge."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass

import httpx
import msgspec

from adapters.ebay.sandbox.errors import Json, notification_error
from adapters.ebay.sandbox.seller import Seller
from adapters.sandbox_kit.postman import Postman

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,80}")
_MAX_NAME = 64


class DeliveryForm(msgspec.Struct, rename="camel"):
    endpoint: str = ""
    verification_token: str = ""


class DestinationForm(msgspec.Struct, rename="camel"):
    delivery_config: DeliveryForm | None = None
    status: str | None = None
    name: str = ""


@dataclass(slots=True)
class Destination:
    id: str
    name: str
    endpoint: str
    verification_token: str
    enabled: bool

    def view(self) -> Json:
        return {
            "destinationId": self.id,
            "name": self.name,
            "status": "ENABLED" if self.enabled else "DISABLED",
            "deliveryConfig": {"endpoint": self.endpoint, "verificationToken": self.verification_token},
        }


class Destinations:
    """Endpoints are asked for proof during the call that names them."""

    def __init__(self, seller: Seller, postman: Postman) -> None:
        self._seller = seller
        self._postman = postman
        self._by_id: dict[str, Destination] = {}
        self.alert_email = seller.seed.alert_email

    def configure(self, alert_email: str) -> None:
        if "@" not in alert_email.strip("@"):
            raise notification_error(400, 195025, "Invalid or missing email.")
        self.alert_email = alert_email

    def require_config(self) -> None:
        if self.alert_email is None:
            message = "Please provide configurations required for notifications. Refer to /config"
            raise notification_error(409, 195003, message)

    def listed(self) -> list[Destination]:
        return list(self._by_id.values())

    def get(self, destination_id: str) -> Destination | None:
        return self._by_id.get(destination_id)

    def named(self, destination_id: str) -> Destination:
        """Raises 404 with 195022."""
        found = self.get(destination_id)
        if found is None:
            raise notification_error(404, 195022, "Invalid or missing destination id.")
        return found

    async def add(self, form: DestinationForm) -> Destination:
        self.require_config()
        delivery = self._checked(form, None)
        await self._challenge(delivery)
        self._refuse_duplicate(delivery.endpoint, None)
        made = Destination(
            str(self._seller.rng.uuid()),
            form.name,
            delivery.endpoint,
            delivery.verification_token,
            form.status == "ENABLED",
        )
        self._by_id[made.id] = made
        return made

    async def replace(self, destination: Destination, form: DestinationForm) -> None:
        delivery = self._checked(form, destination)
        if (delivery.endpoint, delivery.verification_token) != (destination.endpoint, destination.verification_token):
            await self._challenge(delivery)
        destination.name = form.name
        destination.endpoint = delivery.endpoint
        destination.verification_token = delivery.verification_token
        destination.enabled = form.status == "ENABLED"

    def remove(self, destination: Destination) -> None:
        self._by_id.pop(destination.id, None)

    def _checked(self, form: DestinationForm, itself: Destination | None) -> DeliveryForm:
        delivery = form.delivery_config or DeliveryForm()
        if form.status not in ("ENABLED", "DISABLED"):
            message = "Invalid or missing destination status. Supported values:[ENABLED,DISABLED]"
            raise notification_error(400, 195018, message)
        if len(form.name) > _MAX_NAME or "<" in form.name:
            raise notification_error(400, 195016, "Invalid name. Markups or lengths greater than 64 not supported")
        if not self._usable(delivery.endpoint):
            raise notification_error(400, 195017, "Invalid or missing endpoint.")
        if _TOKEN.fullmatch(delivery.verification_token) is None:
            raise notification_error(400, 195019, "Invalid or missing verification token for this endpoint.")
        self._refuse_duplicate(delivery.endpoint, itself)
        return delivery

    def _refuse_duplicate(self, endpoint: str, itself: Destination | None) -> None:
        if any(one.endpoint == endpoint and one is not itself for one in self._by_id.values()):
            raise notification_error(409, 195021, "Destination exists for this endpoint")

    def _usable(self, endpoint: str) -> bool:
        try:
            url = httpx.URL(endpoint)
        except httpx.InvalidURL:
            return False
        schemes = ("https", "http") if self._seller.seed.allow_http_endpoints else ("https",)
        return url.scheme in schemes and bool(url.host)

    async def _challenge(self, delivery: DeliveryForm) -> None:
        """Ask the endpoint for sha256(code + token + endpoint). Raises 409 with 195020."""
        code = self._seller.rng.uuid().hex
        proof = hashlib.sha256(f"{code}{delivery.verification_token}{delivery.endpoint}".encode()).hexdigest()
        answer = await self._postman.get(delivery.endpoint, {"challenge_code": code})
        if answer is None or answer.status_code != httpx.codes.OK or not _proves(answer, proof):
            message = "Challenge verification failed for requested endpoint"
            raise notification_error(409, 195020, message)


def _proves(answer: httpx.Response, proof: str) -> bool:
    if answer.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        return False
    try:
        told = json.loads(answer.content)
    except ValueError:
        return False
    given = told.get("challengeResponse") if isinstance(told, dict) else None
    return isinstance(given, str) and hmac.compare_digest(given.encode(), proof.encode())
