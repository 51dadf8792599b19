"""The judge of every answer in these tests: it is awake, or the skip says that it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.ebay_sandbox.kit import BULK, ORDER, App, Opened
from tests.contract.ebay_sandbox.openapi import documents_at_hand, wrongs

ROW = {"sku": "RED-CLOCK", "statusCode": 200}


def an_answer(method: str, path: str, status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body, request=httpx.Request(method, f"http://sandbox.test{path}"))


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (an_answer("POST", BULK, 200, {"responses": [ROW]}), None),
        (an_answer("POST", BULK, 200, {"responses": [{**ROW, "color": "red"}]}), "unexpected"),
        (an_answer("POST", BULK, 200, {"responses": [{**ROW, "statusCode": "200"}]}), "not of type 'integer'"),
        (an_answer("POST", BULK, 200, {"responses": [{"sku": "RED-CLOCK"}]}), "required"),
        (an_answer("GET", ORDER, 404, {"errors": [{"errorId": 1}]}), "no such status"),
        (an_answer("GET", ORDER, 400, {"error": "oops"}), "required"),
        (an_answer("GET", "/sell/fulfillment/v1/orders", 200, {}), "no such operation"),
    ],
)
def test_the_vendors_documents_judge(shared: Path, answer: httpx.Response, complaint: str | None) -> None:
    found = wrongs(answer)

    assert bool(found) == (complaint is not None)
    assert complaint is None or any(complaint in wrong for wrong in found)


async def test_what_a_test_asks_is_judged(shared: Path, opened: Opened, app: App) -> None:
    await app.orders()

    assert documents_at_hand()
    assert len(app.answers) == 1
    assert opened.wrongs() == []
