"""The reading API over a real socket and both engines: pages, filters, refusals, and who may ask."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from sqlalchemy import Connection, event

from syncd.bootstrap import api_token
from syncd.config import Config
from syncd.db.database import Database
from syncd.db.statements import Given, statement
from syncd.db.tables import order_line, sales_order
from syncd.orders.intake import InboxWriter
from syncd.web import access
from syncd.web.answers import guard_answers
from syncd.web.api import api_routes
from syncd.web.app import make_app
from syncd.web.deps import WebDeps
from tests.support.builders import NOW, Seller, a_seller, an_order

TOKEN = "f00dfeedf00dfeedf00dfeedf00dfeed"
LISTS = ("stock", "orders", "listings", "decisions")
PROBLEM = "application/problem+json"


class StillClock:
    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the API does not wait")


@dataclass
class Api:
    client: TestClient[web.Request, web.Application]
    seller: Seller

    async def asks(self, path: str, headers: Mapping[str, str] | None = None, /, **query: str) -> tuple[int, Any, str]:
        """(status, what was told, its media type)."""
        async with self.client.get(f"/api/v1/{path}", params=query, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None), answer.content_type

    async def lists(self, name: str, **query: str) -> tuple[list[Any], str | None]:
        status, told, _ = await self.asks(name, **query)
        assert status == 200, told
        return told["items"], told["next"]

    async def walks(self, name: str, **query: str) -> list[Any]:
        """Every item of every page."""
        items, cursor = await self.lists(name, **query)
        while cursor is not None:
            more, cursor = await self.lists(name, cursor=cursor, **query)
            items += more
        return items

    async def refuses(self, path: str, status: int = 400, /, **query: str) -> dict[str, Any]:
        found, told, kind = await self.asks(path, **query)
        assert (found, kind) == (status, PROBLEM), told
        assert told["status"] == status
        assert told["remedy"]
        return dict(told)


def deps_of(db: Database, token: str | None = None) -> WebDeps:
    async def ready() -> list[str]:
        return []

    clock = StillClock()
    return WebDeps(db, clock, InboxWriter(db, clock, lambda: None), {}, "1.2.3", NOW, ready, api_token=token)


def served(deps: WebDeps) -> TestClient[web.Request, web.Application]:
    app = web.Application(middlewares=[guard_answers])
    app.add_routes(api_routes(deps))
    return TestClient(TestServer(app))


@pytest.fixture
async def api(db: Database) -> AsyncIterator[Api]:
    seller = a_seller(db, {"RED-CLOCK": 50, "BLUE-VASE": 2}, accounts=("shop", "outlet"))
    seller.takes_in(*(an_order(order_id=f"100{number}", placed_minute=number) for number in range(5)))
    seller.takes_in(an_order(order_id="2001", sku="BLUE-VASE", quantity=9), account="outlet")
    async with served(deps_of(db)) as client:
        yield Api(client, seller)


# --- pages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count"), [("stock", 2), ("orders", 6), ("listings", 4), ("decisions", 6)])
async def test_every_list_is_walked_from_page_to_page(api: Api, name: str, count: int) -> None:
    at_once, after = await api.lists(name)
    one_by_one = await api.walks(name, limit="1")

    assert after is None
    assert len(at_once) == count
    assert one_by_one == at_once


async def test_orders_that_come_in_meanwhile_move_no_page(api: Api) -> None:
    first, cursor = await api.lists("orders", limit="3")
    assert cursor is not None

    api.seller.takes_in(*(an_order(order_id=f"300{number}") for number in range(4)))
    second, after = await api.lists("orders", limit="3", cursor=cursor)

    told = [each["channel_order_id"] for each in first + second]
    assert told == ["2001", "1004", "1003", "1002", "1001", "1000"]
    assert after is None


async def test_lists_are_filtered(api: Api) -> None:
    async def orders(**query: str) -> list[str]:
        return [each["channel_order_id"] for each in (await api.lists("orders", **query))[0]]

    (clock,), _ = await api.lists("stock", sku="RED-CLOCK")
    listings, _ = await api.lists("listings", account="outlet", sku="BLUE-VASE")
    made, _ = await api.lists("decisions", order="#1003", kind="allocation")

    assert (clock["sku"], clock["reserved"], clock["levels"][0]["available"]) == ("RED-CLOCK", 5, 45)
    assert await orders(account="outlet", state="open") == ["2001"]
    assert await orders(state="short") == ["2001"]
    assert await orders(state="cancelled") == []
    assert await orders(account="shop", since="2026-11-27T10:03:00Z") == ["1004", "1003"]
    assert [(each["account"], each["code"], each["sellable"]) for each in listings] == [("outlet", "BLUE-VASE", 0)]
    assert [each["outcome"]["considered"][0]["why"] for each in made] == ["used"]
    assert (await api.lists("decisions", listing="shop:RED-CLOCK"))[0] == []


async def test_one_thing_is_told_whole(api: Api) -> None:
    _, order, _ = await api.asks("orders/%231003")
    _, listing, _ = await api.asks("listings/shop:RED-CLOCK")
    _, stock, _ = await api.asks("stock/RED-CLOCK")

    assert order["allocations"][0]["candidates"][0]["why"] == "used"
    assert listing["sellable"] == 45
    assert [each["order"] for each in stock["orders"]][:2] == ["#1000", "#1001"]


async def test_answers_are_as_the_document_says(api: Api) -> None:
    _, document, _ = await api.asks("openapi.json")
    schemas = {"components": document["components"]}
    paths = {
        "/api/v1/stock": "stock",
        "/api/v1/orders": "orders",
        "/api/v1/listings": "listings",
        "/api/v1/decisions": "decisions",
        "/api/v1/stock/{name}": "stock/RED-CLOCK",
        "/api/v1/orders/{name}": "orders/1003",
        "/api/v1/listings/{name}": "listings/1",
    }

    assert document["openapi"] == "3.1.0"
    assert document["paths"].keys() == paths.keys()
    for path, asked in paths.items():
        operation = document["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        status, told, _ = await api.asks(asked)
        assert status == 200
        assert list(Draft202012Validator({**schemas, **schema}).iter_errors(told)) == []
        refused = operation["responses"]["400"]["content"][PROBLEM]["schema"]
        told = await api.refuses(asked, colour="red")
        assert list(Draft202012Validator({**schemas, **refused}).iter_errors(told)) == []


# --- what is wrong with a request -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query", "parameter", "detail", "remedy"),
    [
        ("orders", {"limit": "0"}, "limit", "limit is no number from 1 to 500", "leave it out for 50"),
        ("orders", {"limit": "501"}, "limit", "no number from 1 to 500", ""),
        ("orders", {"limit": "٣"}, "limit", "no number from 1 to 500", ""),
        ("orders", {"state": "opened"}, "state", "'opened' is none of open, fulfilled", "Did you mean open?"),
        ("orders", {"since": "2026-11-22T08:00:00"}, "since", "is no instant with an offset", "%2B"),
        ("orders", {"acount": "shop"}, "acount", "'acount' is no parameter here", "Did you mean account?"),
        ("orders", {"account": "shopp"}, "account", "'shopp' is not one that is known", "Did you mean shop?"),
        ("listings", {"sku": "RED-CLOK"}, "sku", "'RED-CLOK' is not one that is known", "Did you mean RED-CLOCK?"),
        ("decisions", {"order": "#1009"}, "order", "is not one that is known", "Did you mean #100"),
        ("decisions", {"listing": "shop:RED"}, "listing", "is not one that is known", "Did you mean shop:RED-CLOCK"),
        ("stock", {"sku": ""}, "sku", "is empty", ""),
        ("stock", {"sku": "a\x00b"}, "sku", "zero byte", ""),
        ("stock", {"cursor": "rubbish"}, "cursor", "is no cursor of this API", "begin anew"),
        ("stock", {"cursor": "é"}, "cursor", "is no cursor of this API", ""),
        ("stock/RED-CLOCK", {"limit": "1"}, "limit", "is no parameter here", "takes no parameters"),
    ],
)
async def test_a_wrong_parameter_is_named_with_its_remedy(
    api: Api, path: str, query: dict[str, str], parameter: str, detail: str, remedy: str
) -> None:
    told = await api.refuses(path, **query)

    assert told["parameter"] == parameter
    assert detail in told["detail"] or detail in told["remedy"]
    assert remedy in told["remedy"]


async def test_a_cursor_fits_only_the_question_it_belongs_to(api: Api) -> None:
    _, cursor = await api.lists("orders", limit="1", state="open")
    assert cursor is not None

    for path, query in (("orders", {}), ("orders", {"state": "short"}), ("stock", {"state": "open"})):
        told = await api.refuses(path, cursor=cursor, **query)
        assert told["parameter"] in ("cursor", "state")
    huge = base64.urlsafe_b64encode(b'[1,"x",99999999999999999999999]').decode()
    assert (await api.refuses("orders", cursor=huge))["parameter"] == "cursor"


async def test_a_parameter_given_twice_is_refused(api: Api) -> None:
    async with api.client.get("/api/v1/orders?limit=1&limit=2") as answer:
        assert answer.status == 400
        assert (await answer.json(content_type=None))["parameter"] == "limit"


async def test_what_nobody_knows_is_not_found(api: Api) -> None:
    assert "Did you mean RED-CLOCK" in (await api.refuses("stock/RED-CLOK", 404))["remedy"]
    assert "Did you mean #100" in (await api.refuses("orders/%231009", 404))["remedy"]
    api.seller.does("UPDATE sales_order SET name = '#1'")
    assert "add --account" in (await api.refuses("orders/%231", 409))["remedy"]


async def test_a_database_that_fails_is_told_without_its_insides(db: Database) -> None:
    async with served(deps_of(db)) as client:
        api = Api(client, a_seller(db))
        db.close()

        told = await api.refuses("stock", 503)

    assert told["detail"] == "the database cannot be read now"


# --- who may ask ----------------------------------------------------------------------------------------------


async def test_a_token_opens_every_route_and_nothing_else_does(db: Database) -> None:
    a_seller(db)
    async with served(deps_of(db, TOKEN)) as client:
        api = Api(client, Seller(db))
        for path in (*LISTS, "openapi.json", "stock/RED-CLOCK"):
            right, _, _ = await api.asks(path, {"Authorization": f"Bearer {TOKEN}"})
            assert right == 200
            for wrong in ({}, {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": f"Basic {TOKEN}"}):
                status, told, kind = await api.asks(path, wrong)
                assert (status, kind) == (401, PROBLEM)
                assert TOKEN not in str(told)
        async with client.get("/api/v1/stock") as answer:
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="syncd"'


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"X-Real-IP": "203.0.113.9"},
        {"Host": "rebound.example.com"},
    ],
)
async def test_without_a_token_nobody_behind_a_proxy_or_a_foreign_page_may_ask(
    api: Api, headers: dict[str, str]
) -> None:
    status, told, _ = await api.asks("orders", headers)

    assert status == 403
    assert "api_token_secret" in told["remedy"]


async def test_without_a_token_only_this_machine_may_ask(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for peer, allowed in (
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.7", False),
        ("::ffff:192.168.1.7", False),
        ("", False),
    ):
        monkeypatch.setattr(web.Request, "remote", peer)
        assert (await api.asks("stock"))[0] == (200 if allowed else 403), peer
    hosts = ("localhost:8480", "localhost", "127.0.0.1", "[::1]:8480", "a.de:1", "127.0.0.1.a.de")
    assert [access._is_this_machine(host) for host in hosts] == [True, True, True, True, False, False]


async def test_the_daemons_own_server_has_the_api(db: Database) -> None:
    a_seller(db)
    async with TestClient(TestServer(make_app(deps_of(db)))) as client, client.get("/api/v1/stock") as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"


async def test_the_token_is_a_secret_that_the_configuration_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_API_TOKEN", TOKEN)

    assert api_token(Config.model_validate({"http": {"api_token_secret": "SYNCD_API_TOKEN"}})) == TOKEN
    assert api_token(Config()) is None


async def test_the_token_shows_in_no_repr(db: Database) -> None:
    assert TOKEN not in repr(replace(deps_of(db), api_token=TOKEN))


# --- no full scans --------------------------------------------------------------------------------------------

SMALL = ("account", "warehouse", "pool")  # as many rows as a seller has of them
QUESTIONS: Sequence[tuple[str, dict[str, str]]] = (
    ("stock", {}),
    ("stock", {"sku": "RED-CLOCK"}),
    ("stock/RED-CLOCK", {}),
    ("orders", {}),
    ("orders", {"state": "open"}),
    ("orders", {"state": "short"}),
    ("orders", {"state": "in_review", "account": "shop"}),
    ("orders", {"account": "outlet", "since": "2026-11-27T10:03:00Z"}),
    ("orders/1003", {}),
    ("orders/%231003", {}),
    ("listings", {}),
    ("listings", {"account": "outlet"}),
    ("listings", {"sku": "RED-CLOCK", "account": "shop"}),
    ("listings/shop:RED-CLOCK", {}),
    ("listings/1", {}),
    ("decisions", {}),
    ("decisions", {"kind": "publication"}),
    ("decisions", {"order": "#1003"}),
    ("decisions", {"listing": "shop:RED-CLOCK", "kind": "publication"}),
)


@pytest.mark.parametrize(("path", "query"), QUESTIONS)
async def test_no_question_reads_a_whole_table(api: Api, path: str, query: dict[str, str]) -> None:
    limit = {} if "/" in path else {"limit": "1"}
    with Watched(api.seller.db) as watched:
        status, told, _ = await api.asks(path, **query, **limit)
        assert status == 200
        if limit and told["next"]:
            assert (await api.asks(path, **query, cursor=told["next"]))[0] == 200

    assert len(watched.statements) > 1
    assert api.seller.db.read_now(scans_of, watched.statements) == []


class Watched:
    """Remembers the statements that a database is sent."""

    def __init__(self, db: Database) -> None:
        self._engine = db._reader
        self.statements: list[tuple[str, Any]] = []

    def _note(self, _connection: Any, _cursor: Any, text: str, parameters: Any, *_: Any) -> None:
        if text.lstrip().upper().startswith(("SELECT", "WITH")):
            self.statements.append((text, parameters))

    def __enter__(self) -> Watched:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)


def scans_of(connection: Connection, statements: Sequence[tuple[str, Any]]) -> list[str]:
    """Steps of the plans that would read a whole table, SMALL ones excepted.

    PostgreSQL's planner takes the index only where one fits: with scans forbidden, what is left of them has none.
    """
    found = []
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    for text, parameters in statements:
        for step in _plan(connection, text, parameters):
            table = _scanned(step)
            if table is not None and table not in SMALL:
                found.append(f"{step.strip()} in {text}")
    return found


def _plan(connection: Connection, text: str, parameters: Any) -> list[str]:
    if connection.dialect.name == "sqlite":
        return [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)]
    return [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {text}", parameters)]


def _scanned(step: str) -> str | None:
    """The table that a step of a plan reads from end to end; what a statement made itself is no table."""
    words = step.replace("->", " ").split()
    if words[:1] == ["SCAN"]:
        made = words[1] in ("looked_at", "wanting", "wanted", "CONSTANT") or "json" in step or words[1].startswith("(")
        return None if made else words[1]
    if words[:3] == ["Seq", "Scan", "on"]:
        return words[3]
    return None


@statement
def _by_code(given: Given) -> Any:
    return order_line.select().where(order_line.c.code == given.value("code", str))


async def test_the_watch_for_whole_tables_would_find_one(api: Api) -> None:
    with Watched(api.seller.db) as watched:
        api.seller.db.read_now(lambda connection: _by_code(connection, code="X").all())
        api.seller.db.read_now(lambda connection: connection.execute(sales_order.select()).all())

    assert len(api.seller.db.read_now(scans_of, watched.statements)) == 2
