"""Standard Webhooks: only what our secret signed within the last minutes is believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Forged
from adapters.shipbob import ShipbobSettings, ShipbobWarehouse
from adapters.shipbob.webhook import verify
from tests.unit.shipbob.doubles import SECRET, settings
from tests.unit.shopify.doubles import NOW

BODY = b'{"id":71,"reference_id":"syncd-1"}'
OTHER = "whsec_" + base64.b64encode(b"another secret of us all").decode()


def signature(body: bytes, at: datetime, secret: str = SECRET, message: str = "msg_1") -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def delivery(body: bytes = BODY, at: datetime = NOW, signed: str | None = None) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(body, at) if signed is None else signed,
        "x-webhook-topic": "order.shipped",
    }


def test_the_schemes_own_vector_verifies() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "x-webhook-topic": "order.shipped",
    }
    at = datetime.fromtimestamp(1614265330, UTC)

    assert verify(headers, b'{"test": 2432232314}', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", at) == "order.shipped"


def test_a_rightly_signed_delivery_tells_its_topic(warehouse: ShipbobWarehouse) -> None:
    assert warehouse.verify_webhook(delivery(), BODY) == "order.shipped"


def test_header_names_are_compared_without_case() -> None:
    headers = {name.title(): value for name, value in delivery().items()}

    assert verify(headers, BODY, SECRET, NOW) == "order.shipped"


def test_one_of_several_signatures_is_enough() -> None:
    signed = f"v1a,xyz {signature(BODY, NOW, OTHER)} {signature(BODY, NOW)}"

    assert verify(delivery(signed=signed), BODY, SECRET, NOW) == "order.shipped"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        delivery(signed=""),
        delivery(signed="v1,"),
        delivery(signed="é"),
        delivery(signed=signature(BODY, NOW, OTHER)),
        delivery(signed=signature(BODY, NOW).replace("v1,", "v2,")),
        delivery(signed=signature(BODY + b" ", NOW)),
        delivery(signed=signature(BODY, NOW).replace(",", " ")),
        {**delivery(), "webhook-id": "msg_2"},
        {**delivery(signed=signature(BODY, NOW, message="")), "webhook-id": ""},
        {**delivery(), "webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {**delivery(), "webhook-timestamp": "9" * 5000},
    ],
)
def test_anything_else_is_forged(headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        verify(headers, BODY, SECRET, NOW)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_delivery_of_the_last_five_minutes_is_believed(seconds: int) -> None:
    assert verify(delivery(at=NOW + timedelta(seconds=seconds)), BODY, SECRET, NOW) == "order.shipped"


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_delivery_of_another_time_is_forged_though_rightly_signed(seconds: int) -> None:
    with pytest.raises(Forged, match="timestamp"):
        verify(delivery(at=NOW + timedelta(seconds=seconds)), BODY, SECRET, NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(Forged, match="no webhook secret"):
        verify(delivery(), BODY, None, NOW)


@pytest.mark.parametrize("topic", ["", "ORDER", "order.shipped\n", "x" * 61])
def test_a_topic_of_another_kind_is_no_topic(topic: str) -> None:
    assert verify({**delivery(), "x-webhook-topic": topic}, BODY, SECRET, NOW) == ""


@given(st.dictionaries(st.sampled_from(sorted(delivery())), st.text(max_size=20)), st.binary(max_size=20))
def test_no_delivery_makes_verifying_fail_otherwise(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Forged):
        verify(headers, body, SECRET, NOW)


# --- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "shipbob.example"),
        ("base_url", "https://shipbob.example/api"),
        ("token", ""),
        ("api_version", "v2"),
        ("webhook_secret", "whsec_"),
        ("webhook_secret", "not base64!"),
        ("webhook_secret", SECRET.removeprefix("whsec_")),
        ("webhook_secret", SECRET[:-1]),
        ("webhook_secret", SECRET + "A"),
        ("webhook_secret", SECRET[:-1] + "="),
        ("webhook_secret", SECRET[:-1] + "-"),
        ("webhook_secret", SECRET + "\n"),
        ("webhook_secret", "whsec_" + base64.b64encode(bytes(32)).decode()),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=field):
        settings(**{field: value})


def test_a_secret_that_shipbob_would_not_take_is_refused_with_a_way_to_make_one() -> None:
    with pytest.raises(ValueError, match="32 characters of base64: echo whsec_") as caught:
        settings(webhook_secret="whsec_hush")

    assert "hush" not in str(caught.value)
    assert settings(webhook_secret="whsec_" + base64.b64encode(bytes(24)).decode()).webhook_secret


def test_secrets_do_not_show() -> None:
    shown = repr(settings())

    assert isinstance(settings(), ShipbobSettings)
    assert "hush" not in shown
    assert SECRET not in shown
    assert "shipbob.example" in shown
