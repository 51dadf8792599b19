"""Signed notifications, the challenge, and what news mean."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.contract import (
    AdapterError,
    AuthExpired,
    Forged,
    Ignored,
    Malformed,
    OrderHint,
    RateLimited,
    RawEvent,
    Rejected,
    Transient,
)
from adapters.ebay import EbayChannel
from adapters.ebay.public_keys import read_key
from adapters.ebay.webhook import answer_challenge, claim, verified
from tests.unit.ebay.conftest import VERIFICATION_TOKEN, settings
from tests.unit.ebay.doubles import (
    NOTIFICATION,
    Answer,
    Json,
    ScriptedEbay,
    akamai,
    error,
    ok,
    refused,
)
from tests.unit.shopify.doubles import FakeClock, SeededRng

KEY_ID = "0a1b2c3d-0001-4000-8000-00000000c10c"
KEY = ec.generate_private_key(ec.SECP256R1())
ADDRESS = "https://shop.example/webhooks/ebay"


def pem(key: ec.EllipticCurvePrivateKey = KEY, *, one_line: bool = True) -> str:
    shown = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    return shown.replace("\n", "") if one_line else shown


def key_reply(key: ec.EllipticCurvePrivateKey = KEY) -> httpx.Response:
    return ok({"key": pem(key), "algorithm": "ECDSA", "digest": "SHA1"})


def path(key_id: str = KEY_ID) -> str:
    return f"{NOTIFICATION}/public_key/{key_id}"


def signed(body: bytes, key: ec.EllipticCurvePrivateKey = KEY, **changes: Any) -> dict[str, str]:
    signature = base64.b64encode(key.sign(body, ec.ECDSA(hashes.SHA1()))).decode()
    claim = {"alg": "ecdsa", "kid": KEY_ID, "signature": signature, "digest": "SHA1"} | changes
    return {"x-ebay-signature": base64.b64encode(msgspec.json.encode(claim)).decode()}


def confirmation(topic: Any = "ORDER_CONFIRMATION", **data: Any) -> bytes:
    order = {"orderId": "01-1", "orderLineItems": [{"orderLineItemId": "1", "listingId": "2", "quantity": 1}]}
    notification = {"notificationId": "n-1", "publishAttemptCount": 1, "data": {"order": order} | data}
    return msgspec.json.encode({"metadata": {"topic": topic, "schemaVersion": "1.0"}, "notification": notification})


async def test_a_rightly_signed_notification_is_an_event(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", path(), key_reply())
    body = confirmation()

    event = await channel.verify_webhook(signed(body), body)

    assert event == RawEvent("notification:n-1", "ORDER_CONFIRMATION", body)
    assert channel.resolve(event) == OrderHint("01-1")
    assert ebay.forms() == [{"grant_type": "client_credentials", "scope": "https://api.ebay.com/oauth/api_scope"}]


async def test_one_changed_byte_is_forged(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", path(), key_reply())
    body = confirmation()

    for other in (body + b" ", b"", body.replace(b"01-1", b"01-2")):
        with pytest.raises(Forged):
            await channel.verify_webhook(signed(body), other)


async def test_another_key_is_forged(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", path(), key_reply())
    body = confirmation()

    with pytest.raises(Forged):
        await channel.verify_webhook(signed(body, ec.generate_private_key(ec.SECP256R1())), body)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-EBAY-SIGNATURE": ""},
        {"X-EBAY-SIGNATURE": "%%%"},
        {"X-EBAY-SIGNATURE": base64.b64encode(b"[" * 5000).decode()},
        {"X-EBAY-SIGNATURE": base64.b64encode(b'{"kid":"abc"}').decode()},
        signed(b"x", kid="../../../sell/account/v1/privilege"),
        signed(b"x", kid=""),
        signed(b"x", kid="a" * 65),
        signed(b"x", alg="none"),
        signed(b"x", digest="MD5"),
        signed(b"x", signature="%"),
    ],
)
async def test_a_claim_of_another_kind_is_forged_without_asking_ebay(
    channel: EbayChannel, ebay: ScriptedEbay, headers: dict[str, str]
) -> None:
    with pytest.raises(Forged):
        await channel.verify_webhook(headers, b"x")

    assert ebay.requests == []


async def test_a_key_is_kept_for_an_hour(channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock) -> None:
    ebay.script("GET", path(), key_reply())
    body = confirmation()

    for wait_s in (0, 3599, 1):
        clock.pass_s(wait_s)
        await channel.verify_webhook(signed(body), body)

    assert len(ebay.to("GET", path())) == 2


@pytest.mark.parametrize(
    "answer", [akamai(503), httpx.ReadTimeout("slow"), refused(401, error(1001)), refused(400), ok({"key": "nonsense"})]
)
async def test_a_key_that_was_good_serves_for_a_day_while_it_cannot_be_renewed(
    channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock, answer: Answer
) -> None:
    ebay.script("GET", path(), key_reply())
    body = confirmation()
    await channel.verify_webhook(signed(body), body)
    ebay.script("GET", path(), answer)

    for wait_s in (3600, 59, 1, 24 * 3600 - 61):
        clock.pass_s(wait_s)
        await channel.verify_webhook(signed(body), body)
        with pytest.raises(Forged):
            await channel.verify_webhook(signed(body), body + b" ")
    clock.pass_s(60)
    with pytest.raises(AdapterError):
        await channel.verify_webhook(signed(body), body)
    ebay.script("GET", path(), key_reply())
    await channel.verify_webhook(signed(body), body)


async def test_a_key_that_ebay_no_longer_has_verifies_nothing(
    channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock
) -> None:
    ebay.script("GET", path(), key_reply(), refused(404, error(195001)))
    body = confirmation()
    await channel.verify_webhook(signed(body), body)
    clock.pass_s(3600)

    with pytest.raises(Forged):
        await channel.verify_webhook(signed(body), body)


async def test_made_up_keys_spend_nothing_that_renewing_a_known_one_needs(
    channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock
) -> None:
    ebay.script("GET", path(), key_reply())
    body = confirmation()
    await channel.verify_webhook(signed(body), body)
    clock.pass_s(3600)
    for number in range(1100):
        ebay.script("GET", path(f"made-up-{number}"), refused(404, error(195001)))
        with pytest.raises((Forged, RateLimited)):
            await channel.verify_webhook(signed(b"x", kid=f"made-up-{number}"), b"x")
        clock.pass_s(6 if number < 1080 else 0)

    await channel.verify_webhook(signed(body), body)

    assert len(ebay.to("GET", path())) == 2


async def test_a_known_key_does_not_wait_in_line_behind_made_up_ones(
    channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock
) -> None:
    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if "made-up" in request.url.path:
                await asyncio.sleep(30)
            return await ebay.transport.handle_async_request(request)

    ebay.script("GET", path(), key_reply())
    body = confirmation()
    await channel.verify_webhook(signed(body), body)
    clock.pass_s(3600)
    channel._rest._http._client._transport = Slow()  # as slow as only a network can be
    stuck = asyncio.create_task(channel.verify_webhook(signed(b"x", kid="made-up-1"), b"x"))
    await asyncio.sleep(0.01)

    async with asyncio.timeout(30.0):
        await channel.verify_webhook(signed(body), body)

    assert not stuck.done()
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stuck


async def test_an_unknown_key_is_remembered_as_unknown(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    ebay.script("GET", path(), refused(404, error(195001, "The specified key id is invalid.", "API_NOTIFICATION")))

    for _ in range(3):
        with pytest.raises(Forged):
            await channel.verify_webhook(signed(b"x"), b"x")

    assert len(ebay.to("GET", path())) == 1


async def test_made_up_keys_cost_few_calls_and_hinder_no_known_one(
    channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock
) -> None:
    ebay.script("GET", path(), key_reply())
    body = confirmation()
    await channel.verify_webhook(signed(body), body)
    for number in range(30):
        ebay.script("GET", path(f"made-up-{number}"), refused(404, error(195001)))

    ends = []
    for number in range(30):
        with pytest.raises((Forged, RateLimited)) as caught:
            await channel.verify_webhook(signed(b"x", kid=f"made-up-{number}"), b"x")
        ends.append(caught.type)

    assert ends == [Forged] * 9 + [RateLimited] * 21
    await channel.verify_webhook(signed(body), body)
    clock.pass_s(60)
    with pytest.raises(Forged):
        await channel.verify_webhook(signed(b"x", kid="made-up-29"), b"x")


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (akamai(503), Transient),
        (httpx.ReadTimeout("slow"), Transient),
        (refused(401, error(1001)), AuthExpired),
        (ok({"odd": 1}), Transient),
    ],
)
async def test_a_key_that_cannot_be_had_just_now_is_neither_right_nor_forged(
    channel: EbayChannel, ebay: ScriptedEbay, answer: Answer, raised: type[Exception]
) -> None:
    ebay.script("GET", path(), answer)
    body = confirmation()

    with pytest.raises(raised):
        await channel.verify_webhook(signed(body), body)

    ebay.script("GET", path(), key_reply())
    await channel.verify_webhook(signed(body), body)


@pytest.mark.parametrize("key", ["nonsense", "", pem(ec.generate_private_key(ec.SECP384R1()))])
async def test_a_key_of_another_kind_verifies_nothing(channel: EbayChannel, ebay: ScriptedEbay, key: str) -> None:
    ebay.script("GET", path(), ok({"key": key}))

    with pytest.raises(Forged):
        await channel.verify_webhook(signed(b"x"), b"x")


class NoSha1:
    """A key on a machine whose OpenSSL has SHA-1 switched off."""

    def verify(self, *given: object) -> None:
        raise UnsupportedAlgorithm("sha1")


def test_a_machine_without_sha1_says_so_instead_of_forged() -> None:
    with pytest.raises(Rejected, match="SHA-1 switched off"):
        verified(NoSha1(), claim(signed(b"x")), b"x")  # type: ignore[arg-type] # real keys cannot be replaced


def test_a_key_is_read_on_one_line_and_on_many() -> None:
    assert read_key(pem()).public_numbers() == KEY.public_key().public_numbers()
    assert read_key(pem(one_line=False)).public_numbers() == KEY.public_key().public_numbers()

    with pytest.raises(ValueError, match="P-256"):
        read_key(pem(ec.generate_private_key(ec.SECP384R1())))


# --- eBay's own vectors ------------------------------------------------------------------------------------------


@pytest.fixture
def vectors(shared: Path) -> Json:
    file = shared / "specs/ebay/signature_vectors/ebay_notification_signature_vectors.json"
    if not file.is_file():
        pytest.skip(f"eBay's signature vectors are not at {file}")
    found: Json = msgspec.json.decode(file.read_bytes())
    return found


async def test_ebays_own_vectors_verify_as_ebay_says(
    channel: EbayChannel, ebay: ScriptedEbay, clock: FakeClock, vectors: Json
) -> None:
    judged = []
    for case in vectors["cases"]:
        reply = case["get_public_key_response"]
        answer = ok(reply) if reply else refused(404, error(195001))
        ebay.script("GET", path(case["decoded_header"]["kid"]), answer)
        body = base64.b64decode(case["body_b64"])
        clock.pass_s(3600)  # each case has a key of its own under the same id
        try:
            event = await channel.verify_webhook({"X-Ebay-Signature": case["x_ebay_signature"]}, body)
        except Forged:
            judged.append((case["name"], False))
        else:
            judged.append((case["name"], True))
            assert isinstance(channel.resolve(event), Ignored)

    assert judged == [(case["name"], case["expect_valid"] is True) for case in vectors["cases"]]
    assert ("VALID", True) in judged


def test_ebays_own_challenge_is_answered_as_ebay_says(vectors: Json) -> None:
    given = vectors["challenge"]

    answer = answer_challenge(
        {"challenge_code": given["challenge_code"]}, given["endpoint"], given["verification_token"]
    )

    assert answer is not None
    assert msgspec.json.decode(answer) == {"challengeResponse": given["challengeResponse"]}


# --- the challenge and the meaning -------------------------------------------------------------------------------


async def test_the_challenge_is_answered_with_token_and_address(channel: EbayChannel) -> None:
    proof = hashlib.sha256(f"abc{VERIFICATION_TOKEN}{ADDRESS}".encode()).hexdigest()

    assert channel.answer_challenge({"challenge_code": "abc"}, ADDRESS) == (
        b'{"challengeResponse":"%s"}' % proof.encode()
    )


async def test_what_is_no_challenge_is_not_answered(channel: EbayChannel, ebay: ScriptedEbay) -> None:
    without = EbayChannel(settings(verification_token=None), FakeClock(), SeededRng(), ebay.transport)

    assert channel.answer_challenge({}, ADDRESS) is None
    assert channel.answer_challenge({"challenge_code": ""}, ADDRESS) is None
    assert without.answer_challenge({"challenge_code": "abc"}, ADDRESS) is None
    await without.close()


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"null", b"\xff", confirmation(7), confirmation(None), b'{"metadata":{}}', b"[" * 5000]
)
async def test_signed_nonsense_is_told(channel: EbayChannel, ebay: ScriptedEbay, body: bytes) -> None:
    ebay.script("GET", path(), key_reply())

    event = await channel.verify_webhook(signed(body), body)

    assert event.event_key.startswith("notification:")
    assert event.body == body
    assert isinstance(channel.resolve(event), Malformed)


@pytest.mark.parametrize(
    "data", [{"order": None}, {"order": {}}, {"order": {"orderId": 7}}, {"order": {"orderId": " "}}]
)
async def test_a_confirmation_without_its_order_is_malformed(channel: EbayChannel, data: Json) -> None:
    news = channel.resolve(RawEvent("k", "ORDER_CONFIRMATION", confirmation(**data)))

    assert isinstance(news, Malformed)


async def test_other_topics_are_ignored(channel: EbayChannel) -> None:
    assert channel.resolve(RawEvent("k", "ITEM_MARKED_SHIPPED", b"")) == Ignored("topic ITEM_MARKED_SHIPPED")
    assert channel.resolve(RawEvent("k", "MARKETPLACE_ACCOUNT_DELETION", b"")) == Ignored(
        "nothing is kept under an eBay user's name"
    )
