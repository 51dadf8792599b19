"""The queue of ORDER_CHANGE notifications, over plain HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import pytest

from adapters.amazon.sandbox import SellerSeed
from tests.contract.amazon_sandbox.kit import Account, Opened, a_seed
from tests.unit.shopify_sandbox.kit import settle


def change(message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message["Body"])["Payload"]["OrderChangeNotification"]
    return found


async def news(account: Account) -> list[tuple[str, str]]:
    """(status, order id) of everything on the queue, which is emptied."""
    await account.clock.advance(10)
    told = []
    while messages := await account.received():
        for message in messages:
            await account.queue("DeleteMessage", ReceiptHandle=message["ReceiptHandle"])
            told.append((change(message)["Summary"]["OrderStatus"], change(message)["AmazonOrderId"]))
    return told


async def test_every_change_of_an_order_is_told_within_seconds_pending_included(account: Account) -> None:
    order_id = await account.buy("RED-CLOCK", 2, unpaid=True)
    told = await news(account)
    for step in ("pay", "fulfil"):
        await account.control(f"orders/{order_id}/{step}")
        told += await news(account)
    cancelled = await account.buy("RED-CLOCK")
    await account.control(f"orders/{cancelled}/cancel")

    assert told == [("Pending", order_id), ("Unshipped", order_id), ("Shipped", order_id)]
    assert sorted(await news(account)) == [("Canceled", cancelled), ("Unshipped", cancelled)]


async def test_a_notification_carries_skus_quantities_and_who_fulfils(account: Account) -> None:
    await account.buy("FBA-CLOCK", 2)
    await account.clock.advance(10)

    (message,) = await account.received()

    summary = change(message)["Summary"]
    assert (summary["FulfillmentType"], summary["MarketplaceId"]) == ("AFN", account.seed.marketplace_id)
    assert [(item["SellerSKU"], item["Quantity"]) for item in summary["OrderItems"]] == [("FBA-CLOCK", 2)]
    assert message["MD5OfBody"] == hashlib.md5(message["Body"].encode()).hexdigest()


async def test_a_message_handed_over_hides_until_its_time_is_up_on_the_sellers_clock(account: Account) -> None:
    await account.buy("RED-CLOCK")
    await account.clock.advance(10)
    (first,) = await account.received(VisibilityTimeout=20)
    await account.clock.advance(19)
    hidden = await account.received()
    await account.clock.advance(1)
    (again,) = await account.received(MessageSystemAttributeNames=["All"])

    assert hidden == []
    assert again["MessageId"] == first["MessageId"]
    assert again["ReceiptHandle"] != first["ReceiptHandle"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


async def test_an_old_receipt_deletes_nothing_and_the_latest_one_does(account: Account) -> None:
    await account.queue("SendMessage", MessageBody="hello")
    (first,) = await account.received(VisibilityTimeout=0)
    (second,) = await account.received(VisibilityTimeout=0)

    await account.queue("DeleteMessage", ReceiptHandle=first["ReceiptHandle"])
    kept = await account.received(VisibilityTimeout=0)
    await account.queue("DeleteMessage", ReceiptHandle=kept[0]["ReceiptHandle"])
    twice = await account.queue("DeleteMessage", ReceiptHandle=kept[0]["ReceiptHandle"])

    assert second["Body"] == kept[0]["Body"] == "hello"
    assert twice.status_code == 200
    assert await account.received() == []


async def test_a_batch_deletes_what_it_can_and_names_what_it_can_not(account: Account) -> None:
    for body in ("one", "two"):
        await account.queue("SendMessage", MessageBody=body)
    messages = await account.received()
    rows = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(messages)]

    answer = (await account.queue("DeleteMessageBatch", Entries=[*rows, {"Id": "x", "ReceiptHandle": "?"}])).json()

    assert answer["Successful"] == [{"Id": "0"}, {"Id": "1"}]
    assert [(one["Id"], one["Code"], one["SenderFault"]) for one in answer["Failed"]] == [
        ("x", "ReceiptHandleIsInvalid", True)
    ]
    assert (await account.truth())["deliveries_pending"] == 0


async def test_a_long_poll_wakes_when_a_message_comes(account: Account) -> None:
    waiting = asyncio.create_task(account.received(WaitTimeSeconds=20))
    await asyncio.sleep(0.05)
    assert not waiting.done()

    await account.queue("SendMessage", MessageBody="wake up")

    async with asyncio.timeout(30.0):
        assert [one["Body"] for one in await waiting] == ["wake up"]


async def test_a_long_poll_sees_a_hidden_message_come_back(account: Account) -> None:
    await account.queue("SendMessage", MessageBody="again")
    await account.received(VisibilityTimeout=30)
    waiting = asyncio.create_task(account.received(WaitTimeSeconds=20))
    await asyncio.sleep(0.05)

    await account.clock.advance(30)

    async with asyncio.timeout(30.0):
        assert [one["Body"] for one in await waiting] == ["again"]


async def test_a_long_poll_ends_empty_in_real_time(account: Account) -> None:
    begun = asyncio.get_running_loop().time()
    answer = await account.queue("ReceiveMessage", WaitTimeSeconds=1)

    assert answer.json() == {}
    assert 0.9 < asyncio.get_running_loop().time() - begun < 3


async def test_whoever_hung_up_gets_no_message(account: Account) -> None:
    gone = asyncio.create_task(account.received(WaitTimeSeconds=20))
    await asyncio.sleep(0.05)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await asyncio.sleep(0.3)

    await account.queue("SendMessage", MessageBody="for the next")

    assert [one["Body"] for one in await account.received()] == ["for the next"]


async def test_a_full_batch_is_ten(account: Account) -> None:
    for number in range(12):
        await account.queue("SendMessage", MessageBody=str(number))

    assert [one["Body"] for one in await account.received()] == [str(number) for number in range(10)]
    assert len(await account.received(MaxNumberOfMessages=1)) == 1


async def test_messages_are_forgotten_after_four_days(account: Account) -> None:
    await account.queue("SendMessage", MessageBody="stale")
    await account.clock.advance(4 * 86_400)

    assert await account.received() == []


async def test_the_queue_tells_its_address_and_its_attributes(account: Account) -> None:
    address = (await account.queue("GetQueueUrl", QueueName="orders")).json()["QueueUrl"]
    await account.queue("SendMessage", MessageBody="one")
    told = (await account.queue("GetQueueAttributes", AttributeNames=["All"])).json()["Attributes"]

    assert address == f"{account.http.base_url}000000000000/orders"
    assert (told["ApproximateNumberOfMessages"], told["VisibilityTimeout"]) == ("1", "30")


@pytest.mark.parametrize(
    ("action", "body", "kind"),
    [
        ("ReceiveMessage", {"QueueUrl": "http://x/000000000000/other"}, "QueueDoesNotExist"),
        ("GetQueueUrl", {"QueueName": "other"}, "QueueDoesNotExist"),
        ("ReceiveMessage", {"MaxNumberOfMessages": 11}, "InvalidParameterValueException"),
        ("ReceiveMessage", {"WaitTimeSeconds": 21}, "InvalidParameterValueException"),
        ("DeleteMessage", {"ReceiptHandle": "nonsense"}, "ReceiptHandleIsInvalid"),
        ("DeleteMessageBatch", {"Entries": []}, "EmptyBatchRequest"),
        ("DeleteMessageBatch", {"Entries": [{"Id": "a"}, {"Id": "a"}]}, "BatchEntryIdsNotDistinct"),
        ("DeleteMessageBatch", {"Entries": [{"Id": str(n)} for n in range(11)]}, "TooManyEntriesInBatchRequest"),
        ("GetQueueAttributes", {"AttributeNames": ["Colour"]}, "InvalidAttributeName"),
        ("PurgeQueue", {}, "UnknownOperationException"),
    ],
)
async def test_what_the_queue_can_not_do_it_refuses_in_aws_shape(
    account: Account, action: str, body: dict[str, Any], kind: str
) -> None:
    answer = await account.queue(action, **body)

    assert (answer.status_code, answer.json()["__type"]) == (400, f"com.amazonaws.sqs#{kind}")
    assert answer.headers["x-amzn-query-error"].endswith(";Sender")
    assert answer.json()["message"]


async def test_a_seed_may_say_whose_signature_the_queue_takes(opened: Opened) -> None:
    account = await opened.account(a_seed(queue_access_key_id="AKIDSANDBOX"))

    unsigned = await account.queue("ReceiveMessage")

    assert (unsigned.status_code, unsigned.json()["__type"]) == (403, "com.amazonaws.sqs#UnrecognizedClientException")


async def test_an_account_that_is_not_subscribed_gets_no_news(opened: Opened) -> None:
    account = await opened.account(a_seed(order_notifications=False))
    await account.buy("RED-CLOCK")
    await account.clock.advance(60)

    assert await account.received() == []
    assert (await account.truth())["deliveries_pending"] == 0


# --- what goes wrong with messages -------------------------------------------------------------------------------


async def counts(account: Account) -> dict[str, int]:
    found: dict[str, int] = (await account.stats())["webhooks"]
    return found


async def test_a_dropped_message_never_comes(account: Account) -> None:
    await account.control("faults", webhook_drop=1.0)
    await account.buy("RED-CLOCK")
    await account.clock.advance(3600)

    assert await account.received() == []
    assert (await counts(account))["dropped"] == 1


async def test_a_duplicate_is_another_message_with_the_same_notification(account: Account) -> None:
    await account.control("faults", webhook_duplicate=1.0)
    await account.buy("RED-CLOCK")
    await account.clock.advance(10)

    one, other = await account.received()

    assert one["MessageId"] != other["MessageId"]
    assert one["Body"] == other["Body"]
    assert (await counts(account))["duplicated"] == 1


async def test_a_late_message_carries_the_state_of_its_time(account: Account) -> None:
    await account.control("faults", webhook_late=1.0, webhook_delay_min_s=500)
    order_id = await account.buy("RED-CLOCK", unpaid=True)
    await account.control("faults", clear=True, webhook_delay_min_s=0.5)
    await account.control(f"orders/{order_id}/pay")
    await account.clock.advance(601)

    told = [change(message)["Summary"]["OrderStatus"] for message in await account.received()]

    assert told == ["Unshipped", "Pending"]


async def test_messages_may_be_handed_over_in_any_order(account: Account) -> None:
    await account.control("faults", webhook_reorder=1.0)
    for number in range(10):
        await account.queue("SendMessage", MessageBody=str(number))

    handed = [one["Body"] for one in await account.received()]

    assert sorted(handed) == [str(number) for number in range(10)]
    assert handed != sorted(handed)


async def test_a_receive_whose_answer_is_lost_hides_its_messages_for_a_while(account: Account) -> None:
    await account.queue("SendMessage", MessageBody="precious")
    await account.plan("lost_reply", operation="ReceiveMessage")

    lost = await asyncio.gather(account.received(), return_exceptions=True)
    hidden = await account.received()
    await account.clock.advance(30)

    assert isinstance(lost[0], Exception)
    assert hidden == []
    assert [one["Body"] for one in await account.received()] == ["precious"]


async def test_the_queue_stays_up_while_the_api_is_down(account: Account) -> None:
    await account.control("faults", down_s=600)
    await account.buy("RED-CLOCK")
    await account.clock.advance(10)

    assert (await account.search()).status_code == 503
    assert len(await account.received()) == 1


async def test_deliveries_are_pending_until_a_consumer_deletes_them(account: Account) -> None:
    await account.buy("RED-CLOCK")
    under_way = (await account.truth())["deliveries_pending"]
    await account.clock.advance(10)
    on_queue = (await account.truth())["deliveries_pending"]
    await news(account)

    assert (under_way, on_queue, (await account.truth())["deliveries_pending"]) == (1, 1, 0)
    assert (await counts(account))["sent"] == 1


async def test_a_stopped_sandbox_lets_go_of_who_waits(opened: Opened) -> None:
    account = await opened.account(SellerSeed())
    waiting = asyncio.create_task(account.queue("ReceiveMessage", WaitTimeSeconds=20))
    await asyncio.sleep(0.05)

    async with asyncio.timeout(30.0):
        await account.sandbox.stop()
        answer = await waiting

    await settle()
    assert answer.json() == {}
