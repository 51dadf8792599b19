"""The notification queue, over a real connection to a local one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from adapters.amazon import AmazonChannel, QueueSettings
from adapters.amazon.queue import SqsQueue, queued
from adapters.contract import AdapterError, AuthExpired, Malformed, NewsQueue, RateLimited, Rejected, Transient
from tests.unit.amazon.builders import a_notification, an_envelope
from tests.unit.amazon.conftest import settings
from tests.unit.amazon.doubles import FakeClock, ScriptedAmazon, SeededRng
from tests.unit.amazon.sqs import LocalSqs, answer, refusal

NOTIFICATION = msgspec.json.encode(a_notification()).decode()


def queue_settings(sqs: LocalSqs, **changes: object) -> QueueSettings:
    given: dict[str, object] = {
        "url": sqs.queue_url,
        "region": "us-east-1",
        "endpoint_url": sqs.url,
        "access_key_id": "AKIA1",
        "secret_access_key": "hush",
        "wait_real_s": 0,
    }
    return QueueSettings(**{**given, **changes})  # type: ignore[arg-type] # a builder of one frozen value


@pytest.fixture
async def sqs() -> AsyncIterator[LocalSqs]:
    async with LocalSqs().served() as served:
        yield served


@pytest.fixture
async def queue(sqs: LocalSqs) -> AsyncIterator[SqsQueue]:
    opened = SqsQueue(queue_settings(sqs))
    as_protocol: NewsQueue = opened
    yield opened
    await opened.close()
    assert as_protocol is opened


async def receipts(queue: SqsQueue) -> list[str]:
    return [each.receipt for each in await queue.receive()]


# --- receiving ---------------------------------------------------------------------------------------------------


async def test_a_notification_becomes_an_event_named_by_its_own_id(queue: SqsQueue, sqs: LocalSqs) -> None:
    sqs.put(NOTIFICATION)

    (one,) = await queue.receive()

    assert (one.event.event_key, one.event.topic) == ("notification:d0e9e693-0001", "sqs/notification")
    assert one.event.body == NOTIFICATION.encode()
    (call,) = sqs.calls
    assert call == (
        "ReceiveMessage",
        {"QueueUrl": sqs.queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0},
    )


async def test_no_news_is_an_empty_answer(queue: SqsQueue) -> None:
    assert await queue.receive() == ()


async def test_a_second_delivery_has_the_same_key_and_a_receipt_of_its_own(queue: SqsQueue, sqs: LocalSqs) -> None:
    sqs.put(NOTIFICATION)

    (first,) = await queue.receive()
    sqs.expire()
    (second,) = await queue.receive()

    assert first.event == second.event
    assert first.receipt != second.receipt


async def test_ten_messages_come_at_a_time(queue: SqsQueue, sqs: LocalSqs) -> None:
    for number in range(13):
        sqs.put(msgspec.json.encode(an_envelope("A", {}, f"n{number}")).decode(), f"m{number}")

    assert [len(await queue.receive()) for _ in range(3)] == [10, 3, 0]


@pytest.mark.parametrize("body", ["", "hello", "[]", "{}", '{"NotificationMetadata":{}}', "null", '"\\ud800"'])
async def test_what_is_no_notification_is_kept_under_the_messages_id(
    queue: SqsQueue, sqs: LocalSqs, channel: AmazonChannel, body: str
) -> None:
    sqs.put(body, "m7")
    sqs.put(NOTIFICATION, "m8")

    bad, good = await queue.receive()

    assert (bad.event.event_key, bad.event.topic, bad.event.body) == ("sqs:m7", "sqs/unreadable", body.encode())
    assert isinstance(channel.resolve(bad.event), Malformed)
    assert good.event.topic == "sqs/notification"


def test_half_a_character_stops_nothing() -> None:
    one = queued({"MessageId": "m1", "ReceiptHandle": "r", "Body": "\ud800"})

    assert one.event.body == b"?"


# --- acknowledging -----------------------------------------------------------------------------------------------


async def test_what_is_acknowledged_never_comes_again(queue: SqsQueue, sqs: LocalSqs) -> None:
    for number in range(13):
        sqs.put("x", f"m{number}")

    taken = await receipts(queue) + await receipts(queue)
    await queue.acknowledge(taken)
    sqs.expire()

    assert await queue.receive() == ()
    deletions = [len(asked["Entries"]) for operation, asked in sqs.calls if operation == "DeleteMessageBatch"]
    assert deletions == [10, 3]


async def test_nothing_acknowledged_asks_for_nothing(queue: SqsQueue, sqs: LocalSqs) -> None:
    await queue.acknowledge([])

    assert sqs.calls == []


async def test_an_entry_that_sqs_failed_to_delete_is_tried_again_alone(queue: SqsQueue, sqs: LocalSqs) -> None:
    failures = iter([{"Code": "InternalError", "SenderFault": False}])
    sqs.failing = lambda receipt: next(failures, None) if receipt == "receipt-2" else None
    for number in range(3):
        sqs.put("x", f"m{number}")

    await queue.acknowledge(await receipts(queue))

    assert sqs.handed_over == {}
    assert [asked["Entries"] for operation, asked in sqs.calls if operation == "DeleteMessageBatch"][1] == [
        {"Id": "0", "ReceiptHandle": "receipt-2"}
    ]


async def test_an_entry_that_is_never_deleted_is_told_once_the_others_are(queue: SqsQueue, sqs: LocalSqs) -> None:
    failure = {"Code": "InternalError", "SenderFault": False}
    sqs.failing = lambda receipt: failure if receipt == "receipt-1" else None
    for number in range(12):
        sqs.put("x", f"m{number}")

    with pytest.raises(Transient, match="1 of 12"):
        await queue.acknowledge(await receipts(queue) + await receipts(queue))

    assert list(sqs.handed_over) == ["receipt-1"]


async def test_a_receipt_that_sqs_refuses_is_not_tried_again(queue: SqsQueue, sqs: LocalSqs) -> None:
    failure = {"Code": "ReceiptHandleIsInvalid", "SenderFault": True}
    sqs.failing = lambda receipt: failure if receipt == "stale" else None
    sqs.put("x")

    with pytest.raises(Rejected, match=r"ReceiptHandleIsInvalid.*come again"):
        await queue.acknowledge(["stale", *await receipts(queue)])

    assert sqs.handed_over == {}
    assert len(sqs.calls) == 2


# --- errors ------------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[str, web.Response, type[AdapterError]]] = [
    ("unknown key", refusal(403, "InvalidClientTokenId"), AuthExpired),
    ("wrong secret", refusal(403, "SignatureDoesNotMatch"), AuthExpired),
    ("no permission", refusal(400, "AccessDeniedException", "AccessDenied"), AuthExpired),
    ("expired", refusal(400, "ExpiredTokenException"), AuthExpired),
    ("forbidden, nobody says why", web.Response(status=403), AuthExpired),
    ("throttled", refusal(400, "ThrottlingException"), RateLimited),
    ("too many in flight", refusal(403, "OverLimit"), RateLimited),
    ("429", web.Response(status=429), RateLimited),
    (
        "no such queue",
        refusal(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
        Rejected,
    ),
    ("bad request", refusal(400, "InvalidAttributeValue"), Rejected),
    ("internal", refusal(500, "InternalFailure"), Transient),
    ("maintenance", web.Response(status=503, text="<html>"), Transient),
    ("html with 200", web.Response(text="<html>"), Transient),
    ("messages that are none", answer({"Messages": "x"}), Transient),
    ("truncated", web.Response(body=b'{"Messages": ['), Transient),
]


@pytest.mark.parametrize(("given", "kind"), [pytest.param(a, kind, id=name) for name, a, kind in REFUSALS])
async def test_every_refusal_is_one_of_the_five(
    queue: SqsQueue, sqs: LocalSqs, given: web.Response, kind: type[AdapterError]
) -> None:
    # An aiohttp response serves once: every test gets its own copy.
    fresh = web.Response(status=given.status, body=given.body, headers=given.headers)
    sqs.refusals = [fresh]

    with pytest.raises(kind) as told:
        await queue.receive()

    assert len(sqs.calls) == 1
    assert queue.throttled == (1 if kind is RateLimited else 0)
    if kind is RateLimited:
        assert isinstance(told.value, RateLimited)
        assert told.value.retry_after_s > 0


async def test_a_missing_queue_says_what_to_correct(queue: SqsQueue, sqs: LocalSqs) -> None:
    sqs.refusals = [refusal(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")]

    with pytest.raises(Rejected, match="correct the address or the region") as told:
        await queue.receive()

    assert told.value.field == "queue.url"


async def test_a_deletion_that_nobody_confirms_is_still_to_be_done(queue: SqsQueue, sqs: LocalSqs) -> None:
    sqs.refusals = [answer({})]

    await queue.acknowledge(["receipt-1"])
    assert len(sqs.calls) == 2

    sqs.refusals = [answer({}) for _ in range(3)]
    with pytest.raises(Transient, match="1 of 1"):
        await queue.acknowledge(["receipt-1"])


async def test_a_refused_deletion_is_one_of_the_five_too(queue: SqsQueue, sqs: LocalSqs) -> None:
    sqs.refusals = [web.Response(status=503)]

    with pytest.raises(Transient):
        await queue.acknowledge(["receipt-1"])


async def test_an_unreachable_queue_may_be_asked_again(sqs: LocalSqs) -> None:
    gone = SqsQueue(queue_settings(sqs, endpoint_url="http://127.0.0.1:1"))

    with pytest.raises(Transient):
        await gone.receive()

    await gone.close()


async def test_a_refusal_shows_no_secret(queue: SqsQueue, sqs: LocalSqs) -> None:
    sqs.refusals = [refusal(403, "SignatureDoesNotMatch")]

    with capture_logs() as logs, pytest.raises(AuthExpired) as told:
        await queue.receive()

    assert "hush" not in f"{logs}{told.value!r}{queue_settings(sqs)}"


# --- life --------------------------------------------------------------------------------------------------------


async def test_a_channel_owns_its_queue_and_counts_for_it(amazon: ScriptedAmazon, sqs: LocalSqs) -> None:
    opened = AmazonChannel(settings(queue=queue_settings(sqs)), FakeClock(), SeededRng(), amazon.transport)
    assert opened.queue is not None
    sqs.refusals = [web.Response(status=429)]

    with pytest.raises(RateLimited):
        await opened.queue.receive()
    assert await opened.queue.receive() == ()

    assert opened.throttled == 1
    await opened.close()


async def test_a_queue_that_was_never_asked_closes_quietly(sqs: LocalSqs) -> None:
    await SqsQueue(queue_settings(sqs)).close()

    assert sqs.calls == []


async def test_a_long_poll_can_be_cancelled_and_the_queue_closed(sqs: LocalSqs) -> None:
    sqs.answering.clear()
    opened = SqsQueue(queue_settings(sqs, wait_real_s=20))

    waiting = asyncio.create_task(opened.receive())
    await sqs.called.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    sqs.answering.set()
    await opened.close()
    assert sqs.calls[0][1]["WaitTimeSeconds"] == 20


async def test_settings_that_make_no_client_are_rejected(sqs: LocalSqs) -> None:
    opened = SqsQueue(queue_settings(sqs, endpoint_url="not an address"))

    with pytest.raises(Rejected, match="no client of these settings"):
        await opened.receive()

    await opened.close()


def test_a_wait_is_at_most_as_long_as_sqs_allows(sqs: LocalSqs) -> None:
    with pytest.raises(ValueError, match="wait_real_s"):
        queue_settings(sqs, wait_real_s=21)
