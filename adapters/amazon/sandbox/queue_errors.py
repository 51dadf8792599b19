"""The queue's refusals, in the shape that AWS clients read."""

from __future__ import annotations

import json

from aiohttp import web

MEDIA_TYPE = "application/x-amz-json-1.0"


class QueueRefused(Exception):
    """A refusal: its type in the JSON protocol, and the code that older clients knew it by."""

    def __init__(self, status: int, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.message = message


def invalid_parameter(name: str, problem: str) -> QueueRefused:
    message = f"Value for parameter {name} is invalid. Reason: {problem}."
    return QueueRefused(400, "InvalidParameterValueException", "InvalidParameterValue", message)


def no_such_queue() -> QueueRefused:
    message = "The specified queue does not exist."
    return QueueRefused(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", message)


def error_answer(refused: QueueRefused, headers: dict[str, str]) -> web.Response:
    fault = "Receiver" if refused.status >= 500 else "Sender"
    return web.Response(
        text=json.dumps({"__type": f"com.amazonaws.sqs#{refused.kind}", "message": refused.message}),
        status=refused.status,
        content_type=MEDIA_TYPE,
        headers={**headers, "x-amzn-query-error": f"{refused.code};{fault}"},
    )
