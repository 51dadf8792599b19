"""The age of the oldest news is reckoned over all of it, also over what was taken in long ago.

In real life: the condition on the state is in the count and was forgotten in the minimum. Five minutes after the first
order people are told that nothing is taken in, and it stays so.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from unittest import mock

from sqlalchemy import Connection, func, select

from syncd.alerts.lateness import Progress, read_progress
from syncd.db.tables import inbox


def _oldest_of_all(connection: Connection) -> Progress:
    oldest = connection.execute(select(func.min(inbox.c.received_at))).scalar_one()
    return replace(read_progress(connection), oldest_new_at=oldest)


def planted() -> AbstractContextManager[object]:
    return mock.patch("syncd.alerts.lateness.read_progress", _oldest_of_all)
