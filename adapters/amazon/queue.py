"""The seller's SQS queue as a `NewsQueue`: at least once, in no order, and whatever it holds becomes an event."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cache
from typing import Any

import structlog
from aiobotocore.config import AioConfig  # type: ignore[import-untyped] # it ships no types
from aiobotocore.httpxsession import HttpxSession  # type: ignore[import-untyped]
from aiobotocore.session import get_session  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError  # type: ignore[import-untyped]

from adapters.amazon.news import NOTIFICATION_TOPIC, UNREADABLE_TOPIC
from adapters.amazon.notification import notification_id
from adapters.amazon.settings import QueueSettings
from adapters.contract import AdapterError, AuthExpired, Queued, RateLimited, RawEvent, Rejected, Transient

log = structlog.get_logger(__name__)
_BATCH = 10  # the most that SQS hands over or deletes in one call
_TRIES = 3  # to delete what SQS itself failed to delete
_MARGIN_REAL_S = 10.0  # for an answer, beyond the long poll
_CONNECT_REAL_S = 5.0
_THROTTLED_S = 5.0  # the seller's seconds; SQS never says for how long
_AUTH = frozenset(
    (
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "MissingAuthenticationToken",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    )
)
_THROTTLED = frozenset(("OverLimit", "RequestThrottled", "Throttling", "ThrottlingException", "TooManyRequests"))
_NO_QUEUE = frozenset(("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"))

Message = Mapping[str, Any]


class SqsQueue:
    """Connects at the first use."""

    def __init__(self, settings: QueueSettings) -> None:
        self._settings = settings
        self._starting = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._client: Any = None  # botocore makes its classes at run time
        self.throttled = 0

    async def receive(self) -> tuple[Queued, ...]:
        """Wait up to `wait_real_s` for news."""
        answer = await self._call(
            "receive_message", MaxNumberOfMessages=_BATCH, WaitTimeSeconds=self._settings.wait_real_s
        )
        return tuple(queued(message) for message in answer.get("Messages", ()))

    async def acknowledge(self, receipts: Sequence[str]) -> None:
        """Delete these. Raises once all have been tried; Rejected: SQS refuses some, and they come again."""
        refused: list[str] = []
        left: list[str] = []
        for start in range(0, len(receipts), _BATCH):
            never, not_yet = await self._delete(receipts[start : start + _BATCH])
            refused += never
            left += not_yet
        if left:
            raise Transient(f"DeleteMessageBatch: {len(left)} of {len(receipts)} messages are still on the queue")
        if refused:
            raise Rejected("receipt", f"SQS refused {len(refused)} of {len(receipts)}: {refused[0]}; they come again")

    async def close(self) -> None:
        async with self._starting:
            self._client = None
            await self._stack.aclose()

    async def _delete(self, receipts: Sequence[str]) -> tuple[list[str], list[str]]:
        """The codes of what SQS refused for good, and the receipts that are still to be deleted."""
        left = list(receipts)
        refused: list[str] = []
        for _ in range(_TRIES):
            entries = [{"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(left)]
            answer = await self._call("delete_message_batch", Entries=entries)
            never = {each["Id"]: str(each.get("Code")) for each in answer.get("Failed", ()) if each.get("SenderFault")}
            over = {each["Id"] for each in answer.get("Successful", ())} | never.keys()
            refused += never.values()
            left = [receipt for index, receipt in enumerate(left) if str(index) not in over]
            if not left:
                break
        return refused, left

    async def _call(self, operation: str, **arguments: object) -> Message:
        client = await self._started()
        try:
            async with asyncio.timeout(self._settings.wait_real_s + _MARGIN_REAL_S):
                answer: Message = await getattr(client, operation)(QueueUrl=self._settings.url, **arguments)
        except ClientError as err:
            raise self._refusal(operation, err) from err
        except ParamValidationError as err:
            raise Rejected("queue", f"{operation}: SQS takes no such argument") from err
        except Exception as err:  # no connection, no answer, or one that botocore's parsers stumble on
            raise Transient(f"{operation}: {type(err).__name__}") from err
        if "json" not in answer["ResponseMetadata"]["HTTPHeaders"].get("content-type", ""):
            raise Transient(f"{operation}: unreadable reply")  # botocore takes a page of HTML for an empty answer
        return answer

    async def _started(self) -> Any:
        async with self._starting:
            if self._client is None:
                try:
                    self._client = await self._stack.enter_async_context(self._new_client())
                except (BotoCoreError, ValueError) as err:
                    raise Rejected("queue", f"no client of these settings: {type(err).__name__}") from err
            return self._client

    def _new_client(self) -> Any:
        settings = self._settings
        return _session().create_client(
            "sqs",
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            verify=None if _is_encrypted(settings.endpoint_url) else False,  # nothing to load certificates for
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key,
            config=AioConfig(
                http_session_cls=_Session,
                user_agent="syncd",  # botocore's own is put together anew, twice a request, at a tenth of its cost
                connect_timeout=_CONNECT_REAL_S,
                read_timeout=settings.wait_real_s + _MARGIN_REAL_S,
                retries={"total_max_attempts": 1},  # whoever calls repeats, and counts
            ),
        )

    def _refusal(self, operation: str, err: ClientError) -> AdapterError:
        code = str(err.response.get("Error", {}).get("Code", ""))
        status = err.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        message = f"{operation}: HTTP {status} {code}"
        if code in _THROTTLED or status == 429:
            self.throttled += 1
            return RateLimited(message, _THROTTLED_S)
        if code in _NO_QUEUE:
            return Rejected("queue.url", f"{message}: no such queue; correct the address or the region")
        if code in _AUTH or status in (401, 403):
            return AuthExpired(message)
        return Transient(message) if status >= 500 else Rejected("queue", message)


@cache
def _session() -> Any:
    """One for all: what it reads of AWS's own descriptions takes a quarter of a second and some megabytes."""
    return get_session()


def _is_encrypted(endpoint_url: str | None) -> bool:
    return endpoint_url is None or not endpoint_url.startswith("http://")


class _Session(HttpxSession):  # type: ignore[misc] # untyped
    """On httpx, as everything else here is; aiobotocore says at each start that it would rather have httpx2."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "aiobotocore's httpx backend", DeprecationWarning)
            super().__init__(*args, **kwargs)


def queued(message: Message) -> Queued:
    """A message as an event. What is no notification keeps the queue's own id, so that nothing is lost."""
    body = str(message.get("Body", "")).encode("utf-8", "replace")
    known_id = notification_id(body)
    if known_id is None:
        log.warning("amazon.message_unreadable", message_id=message.get("MessageId"))
        event = RawEvent(f"sqs:{message.get('MessageId')}", UNREADABLE_TOPIC, body)
    else:
        event = RawEvent(f"notification:{known_id}", NOTIFICATION_TOPIC, body)
    return Queued(event, str(message["ReceiptHandle"]))
