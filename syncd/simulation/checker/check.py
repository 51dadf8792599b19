"""The two looks at a run: a quick one while things go wrong, and a whole one once everything has come to rest."""

from __future__ import annotations

from syncd.simulation.checker import (
    alerts,
    blamed,
    counted,
    counted_relists,
    decided,
    holds,
    orders,
    oversold,
    relists,
    shipments,
    stock,
    waiting,
    work_alerts,
    writes,
)
from syncd.simulation.checker.book import Book, read_book
from syncd.simulation.checker.bounds import REST_S, Bounds
from syncd.simulation.checker.clocks import Clocks
from syncd.simulation.checker.failures import Failures
from syncd.simulation.checker.history import read_history
from syncd.simulation.checker.news import may_be_unheard
from syncd.simulation.checker.pieces import Pieces
from syncd.simulation.checker.pools import numbers_fit_their_pools
from syncd.simulation.checker.shown import (
    nothing_is_hidden_for_nothing,
    nothing_left_is_promised_twice,
    numbers_are_right,
    read_promised,
    read_sellable,
    too_high,
)
from syncd.simulation.checker.sold import Ledger
from syncd.simulation.checker.truth import gather
from syncd.simulation.checker.verdict import Verdict
from syncd.simulation.kit.timetable import Rounds
from syncd.simulation.scene import Scene

_AGAIN_S = 120.0


async def check_during(scene: Scene) -> Verdict:
    """What must hold at every moment, whatever goes wrong."""
    verdict, bounds = Verdict(), bounds_of(scene)
    truth = await gather(scene, history=False)
    book = await scene.setup.db.read(read_book)
    orders.every_order_took_effect_once(truth, book, bounds, verdict, rest=False)
    orders.every_order_is_as_its_channel_has_it(truth, book, bounds, verdict, rest=False)
    await stock.the_book_proves_itself(scene.setup.db, truth, verdict)
    told = await scene.setup.db.read(alerts.read_alerts, scene.happenings.true_time)
    alerts.no_alert_is_open_twice(told, truth.at, verdict)
    alerts.each_cause_is_told_once(told, truth.at, verdict)
    alerts.every_alert_has_a_cause(told, failures_of(scene), truth.at, verdict)
    found = await scene.setup.db.read(waiting.read_waiting, truth.at)
    promised = await scene.setup.db.read(read_promised)
    nothing_left_is_promised_twice(promised, truth.at, verdict)
    high = too_high(truth, promised.sellable, book)
    waiting.nothing_waits_too_long(found, high, truth.at, bounds, verdict, failures_of(scene))
    return verdict


async def check_at_rest(scene: Scene) -> Verdict:
    """Everything. What the first look finds stands, unless news that got lost explains it (see `may_be_unheard`).

    That is asked again for as long as a poll may take to bring the news, and a last look must find nothing at all.
    """
    verdict = await _check_state(scene)
    unheard = may_be_unheard(verdict.findings)
    standing = [each for each in verdict.findings if each not in unheard]
    gives_up_at = bounds_of(scene).due(scene.clock.now(), REST_S)
    while unheard and verdict.findings and scene.clock.now() < gives_up_at:
        await scene.clock.sleep(_AGAIN_S)
        verdict = await _check_state(scene)
    verdict.findings = standing + verdict.new(standing)
    await _check_history(scene, verdict)
    return verdict


async def _check_state(scene: Scene) -> Verdict:
    """What must be true from now on until somebody buys again."""
    verdict, bounds = Verdict(), bounds_of(scene)
    truth = await gather(scene, history=False)
    book: Book = await scene.setup.db.read(read_book)
    orders.every_order_took_effect_once(truth, book, bounds, verdict, rest=True)
    orders.every_order_is_as_its_channel_has_it(truth, book, bounds, verdict, rest=True)
    orders.nothing_is_parked(truth, book, scene.happenings, verdict)
    shipments.shipments_are_as_their_warehouse_has_them(truth, book, verdict)
    await stock.the_book_proves_itself(scene.setup.db, truth, verdict)
    pieces = Pieces(scene, truth, book)
    shipments.nothing_is_sent_twice(truth, book, pieces, verdict)
    stock.open_demand_is_reserved_or_wanting(truth, book, pieces, verdict)
    stock.nothing_is_reserved_twice(truth, book, pieces, verdict)
    stock.shelves_hold_what_the_book_says(truth, book, pieces, verdict)
    stock.shortages_are_what_is_missing(truth, book, pieces, verdict)
    sellable = await scene.setup.db.read(read_sellable)
    numbers_are_right(truth, sellable, pieces, verdict)
    numbers_fit_their_pools(scene, truth, sellable, pieces, verdict)
    nothing_is_hidden_for_nothing(scene, truth, await scene.setup.db.read(read_promised), pieces, verdict)
    found = await scene.setup.db.read(waiting.read_waiting, truth.at)
    high = too_high(truth, sellable, book)
    waiting.nothing_waits_too_long(found, high, truth.at, bounds, verdict, failures_of(scene))
    told = await scene.setup.db.read(alerts.read_alerts, scene.happenings.true_time)
    alerts.no_alert_is_open_twice(told, truth.at, verdict)
    alerts.each_cause_is_told_once(told, truth.at, verdict)
    alerts.every_alert_has_a_cause(told, failures_of(scene), truth.at, verdict)
    in_trouble = work_alerts.was_in_trouble(scene.happenings, truth.at)
    alerts.alerts_tell_what_is(told, truth.at, verdict, in_trouble=in_trouble)
    alerts.poison_is_told(told, scene.happenings, truth.at, verdict)
    alerts.every_outage_was_told(told, scene.happenings, book.channels, bounds, truth.at, verdict)
    return verdict


async def _check_history(scene: Scene, verdict: Verdict) -> None:
    """What went wrong on the way, and why.

    What only clocks that agree can tell is judged in virtual time alone: between real processes of a fast run a second
    and a half of the seller's time are some milliseconds. A tolerance that grows with the speed helps rules that excuse
    more the wider it is (`History.delay`: what a plain set's read may miss). Others it makes blind or unsound:
    - what is held: at speed 60 it would be 90 s either way, in which a busy listing sells anyway, and a hold that
      follows from a write in doubt opens a lease after that write, which is 50 minutes of the seller's then;
    - what is written for nothing: other writes of ours come within it, and the number before them is compared;
    - relisted units that are sure: none is left. And the daemon itself counts them, and says who has raised a number,
      by its vendors' lags in the seller's seconds, of which eBay's five are 83 ms: a process that the machine keeps
      waiting for longer is misled as if its vendor had broken its word.
    """
    clocks_agree = scene.clock.speed == 1.0
    truth = await gather(scene, history=True)
    true_time = scene.happenings.true_time
    book: Book = await scene.setup.db.read(read_book)
    history = await scene.setup.db.read(read_history, true_time, scene.clock.speed)
    decided.every_write_was_decided(truth, book, history, verdict)
    clocks = Clocks(scene.happenings)
    found = clocks.excuse(relists.find_relists(truth, book, history, scene.happenings))
    relists.no_knowing_relist(found, book, verdict, clocks_agree=clocks_agree)
    if clocks_agree:
        counted_relists.relisted_units_are_counted(truth, book, history, found, verdict, clocks)
        holds.nothing_is_held_for_nothing(truth, book, history, verdict, clocks)
        writes.nothing_is_written_for_nothing(truth, history, verdict)
    told = await scene.setup.db.read(alerts.read_alerts, true_time)
    if (
        clocks_agree and not clocks.stepped
    ):  # reads and sales placed by a wrong clock look as if somebody had raised a number
        alerts.drift_has_a_cause(told, alerts.raises(truth, found), truth.at, verdict)
    pieces = Pieces(scene, truth, book)
    writes.writes_are_fenced(await scene.setup.db.read(writes.read_out_of_turn, true_time), verdict)
    stored = await scene.setup.db.read(writes.read_stored, true_time)
    writes.no_account_is_restless(stored, truth, scene.happenings, verdict)
    writes.nothing_is_raised_to_zero(truth, verdict)
    blamed.nobody_is_blamed_for_nothing(truth, book, verdict, clocks)
    ledger = Ledger(scene, truth, pieces, history)
    judge = oversold.Judge(scene, truth, book, history, found, bounds_of(scene))
    oversold.each_oversold_unit_has_a_cause(ledger, judge, verdict)
    counted.oversold_units_are_counted(ledger, book, bounds_of(scene), verdict)


async def check_work(scene: Scene, rounds: Rounds) -> Verdict:
    """What stood still or failed for long, by whoever has counted the rounds of the daemon's jobs."""
    verdict = Verdict()
    if Clocks(scene.happenings).stepped:  # a clock that is wrong makes of a moment a quarter of an hour
        return verdict
    true_time = scene.happenings.true_time
    told = await scene.setup.db.read(alerts.read_alerts, true_time)
    waited = await scene.setup.db.read(work_alerts.read_waited, true_time)
    work_alerts.what_stands_still_is_told(told, waited, rounds, bounds_of(scene), scene.clock.now(), verdict)
    return verdict


def bounds_of(scene: Scene) -> Bounds:
    """What may wait how long in this run."""
    return Bounds(scene.happenings, scene.clock.speed, _run_by(scene))


def failures_of(scene: Scene) -> Failures | None:
    """What failed in this run; None: nobody has watched."""
    failed = scene.happenings.failed
    return None if failed is None else Failures(failed, _run_by(scene))


def _run_by(scene: Scene) -> dict[str, str]:
    """The accounts whose channels run warehouses, by the warehouses' keys."""
    return {each.key: each.account for each in scene.world.cast.warehouses if each.account is not None}
