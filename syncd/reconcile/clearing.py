"""Let go of what was found before and is gone, when somebody asks for an audit: the daemon does so in its rounds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from syncd.db.database import Database
from syncd.reconcile.audit import BY_RULE
from syncd.reconcile.failing import is_its_own, tell_error
from syncd.reconcile.findings import forget_found, named_before, tell_found
from syncd.reconcile.looking import Named, in_turns, look_again


@dataclass(slots=True)
class Cleared:
    """How many findings are gone. `failed`: rules that could not be asked again, and why; theirs stay."""

    gone: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def clear_gone(db: Database, without: Collection[str], now: datetime) -> Cleared:
    """Look again at what was found before `now`, but for the rules `without`.

    Raises what is no rule's own failure: a database that cannot be worked with.
    """
    cleared, after = Cleared(), None
    while named := db.read_now(named_before, now, after, {*without, *cleared.failed}):
        gone: list[Named] = []
        for rule, several in in_turns(named):
            try:
                gone += db.read_now(look_again, BY_RULE[rule], several, 0)[1] if rule in BY_RULE else several
            except Exception as err:
                if not is_its_own(err):
                    raise
                cleared.failed[rule] = tell_error(err)
        if gone:
            db.transact_now(forget_found, gone, now, now)
        cleared.gone, after = cleared.gone + len(gone), named[-1]
    if cleared.gone:
        db.transact_now(tell_found, now)
    return cleared
