"""Let go of what was found before and is gone, when somebody asks for an audit: the daemon does so in its rounds."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from syncd.db.database import Database
from syncd.reconcile.audit import BY_RULE
from syncd.reconcile.findings import forget_found, named_before, tell_found
from syncd.reconcile.looking import Named, in_turns, look_again


def clear_gone(db: Database, without: Collection[str], now: datetime) -> int:
    """Look again at what was found before `now`, but for the rules `without`. Returns how many findings are gone."""
    cleared, after = 0, None
    while named := db.read_now(named_before, now, after, without):
        gone: list[Named] = []
        for rule, several in in_turns(named):
            if rule in BY_RULE:
                gone += db.read_now(look_again, BY_RULE[rule], several, 0)[1]
            else:
                gone += several
        if gone:
            db.transact_now(forget_found, gone, now)
        cleared, after = cleared + len(gone), named[-1]
    if cleared:
        db.transact_now(tell_found, now)
    return cleared
