"""What a look into a violation may not hide."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from syncd.db.database import Database
from syncd.reconcile import causes
from syncd.reconcile.audit import BY_RULE
from syncd.reconcile.causes import Looked
from tests.integration.conftest import ON_SQLITE

ROW = {"cause": "gap", "sku_id": 1, "warehouse_id": 1}


@ON_SQLITE
def test_nothing_more_is_read_once_the_database_has_ended_the_transaction(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SQLite does with one that takes too long: what is read behind it would be of another snapshot."""

    def ends_it(connection: Connection, *_: Any) -> Looked:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.rollback()
        raise RuntimeError("interrupted")

    monkeypatch.setattr(causes, "_look_into", ends_it)

    with pytest.raises(OperationalError, match="no such savepoint"):
        db.read_now(causes.look_into, BY_RULE["level.fold"], ROW)


def test_what_cannot_be_read_of_its_movements_hides_no_violation(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Looked:
        raise ValueError("a movement that is none")

    monkeypatch.setattr(causes, "_look_into", fails)

    looked = db.read_now(causes.look_into, BY_RULE["level.fold"], ROW)

    assert looked.likely_cause.endswith("(its movements cannot be looked into: ValueError)")
