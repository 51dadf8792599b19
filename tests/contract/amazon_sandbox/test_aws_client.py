"""The queue through the AWS client that the adapter uses, over its httpx transport."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiobotocore.config import AioConfig  # type: ignore[import-untyped]
from aiobotocore.httpxsession import HttpxSession  # type: ignore[import-untyped]
from aiobotocore.session import get_session  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from tests.contract.amazon_sandbox.kit import Account, Opened, a_seed

# It would rather have httpx2, and says so once a process.
pytestmark = pytest.mark.filterwarnings("ignore:aiobotocore's httpx backend:DeprecationWarning")


@pytest.fixture
async def account(opened: Opened) -> Account:
    return await opened.account(a_seed(queue_access_key_id="AKIDSANDBOX"))


async def client_of(account: Account, key: str) -> AsyncIterator[Any]:
    config = AioConfig(http_session_cls=HttpxSession, retries={"total_max_attempts": 1})
    async with get_session().create_client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=str(account.http.base_url).rstrip("/"),
        aws_access_key_id=key,
        aws_secret_access_key="secret",
        config=config,
    ) as client:
        yield client


@pytest.fixture
async def sqs(account: Account) -> AsyncIterator[Any]:
    async for client in client_of(account, "AKIDSANDBOX"):
        yield client


@pytest.fixture
async def stranger(account: Account) -> AsyncIterator[Any]:
    async for client in client_of(account, "AKIDSTRANGER"):
        yield client


async def test_a_notification_is_received_and_deleted(account: Account, sqs: Any) -> None:
    order_id = await account.buy("RED-CLOCK")
    await account.clock.advance(10)
    address = (await sqs.get_queue_url(QueueName="orders"))["QueueUrl"]

    got = await sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    rows = [{"Id": "a", "ReceiptHandle": got["Messages"][0]["ReceiptHandle"]}]
    deleted = await sqs.delete_message_batch(QueueUrl=address, Entries=rows)
    empty = await sqs.receive_message(QueueUrl=address)

    body = json.loads(got["Messages"][0]["Body"])
    assert body["Payload"]["OrderChangeNotification"]["AmazonOrderId"] == order_id
    assert [one["Id"] for one in deleted["Successful"]] == ["a"]
    assert "Messages" not in empty


async def test_a_long_poll_through_the_client_wakes(account: Account, sqs: Any) -> None:
    address = (await sqs.get_queue_url(QueueName="orders"))["QueueUrl"]
    waiting = asyncio.create_task(sqs.receive_message(QueueUrl=address, WaitTimeSeconds=20))
    await asyncio.sleep(0.1)

    sent = await sqs.send_message(QueueUrl=address, MessageBody="wake ü")

    async with asyncio.timeout(30.0):
        got = await waiting
    assert (got["Messages"][0]["Body"], bool(sent["MessageId"])) == ("wake ü", True)
    told = await sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])
    assert told["Attributes"] == {"ApproximateNumberOfMessagesNotVisible": "1"}
    await sqs.delete_message(QueueUrl=address, ReceiptHandle=got["Messages"][0]["ReceiptHandle"])
    assert (await account.truth())["deliveries_pending"] == 0


async def test_a_missing_queue_is_the_clients_own_error(account: Account, sqs: Any) -> None:
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as raised:
        await sqs.receive_message(QueueUrl=f"{account.http.base_url}000000000000/other")

    assert raised.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


async def test_a_strangers_key_is_refused(account: Account, stranger: Any) -> None:
    with pytest.raises(ClientError) as raised:
        await stranger.receive_message(QueueUrl=f"{account.http.base_url}000000000000/orders")

    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert raised.value.response["Error"]["Code"] == "InvalidClientTokenId"
