"""Every failure is one of the five, and what can be repeated is, on the seller's clock."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import httpx
import pytest

from adapters.contract import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient
from tests.contract.suite.conftest import OpensChannel

HOUR = timedelta(hours=1)


async def test_an_outage_is_waited_out_on_the_sellers_clock(opens: OpensChannel) -> None:
    rig = await opens()
    started_at = rig.now
    order = rig.order_id(await rig.buys("RED"))
    await rig.settles()
    await rig.swept(started_at - HOUR)
    before = rig.now
    await rig.is_down(0.1)

    (state,) = rig.states(await rig.swept(started_at - HOUR))

    assert state.channel_order_id == order
    assert rig.now > before
    assert {each.status for each in rig.requests() if each.status != 200} == {503}


async def test_an_outage_that_lasts_is_transient(opens: OpensChannel) -> None:
    rig = await opens()
    await rig.is_down(86_400)

    with pytest.raises(Transient):
        await rig.swept(rig.now - HOUR)

    await rig.is_down(0)
    assert await rig.swept(rig.now - HOUR) == []


@pytest.mark.parametrize("fault", ["server_error", "unavailable", "lost_reply"])
async def test_a_read_that_failed_once_is_repeated(opens: OpensChannel, fault: str) -> None:
    rig = await opens()
    started_at = rig.now
    await rig.buys("RED")
    await rig.settles()
    await rig.meets(fault, rig.poll_operation)

    assert len(await rig.swept(started_at - HOUR)) == 1
    assert (await rig.counter.get("stats"))["faults"] == {fault: 1}


async def test_who_is_told_to_wait_waits_and_is_counted(opens_patient: OpensChannel) -> None:
    rig = await opens_patient()
    started_at = rig.now
    await rig.buys("RED")
    await rig.settles()
    await rig.swept(started_at - HOUR)
    before = rig.now
    await rig.meets("rate_limit", rig.poll_operation)

    assert len(await rig.swept(started_at - HOUR)) == 1

    assert rig.now > before
    assert rig.channel.throttled >= 1
    assert 429 in {each.status for each in rig.requests()}


async def test_a_used_up_quota_is_told_counted_and_not_hammered(opens_daily: OpensChannel) -> None:
    rig = await opens_daily()
    await rig.swept(rig.now - HOUR)
    before = len(rig.requests())
    await rig.meets("rate_limit", rig.poll_operation)

    with pytest.raises(RateLimited) as told:
        await rig.swept(rig.now - HOUR)

    assert told.value.retry_after_s >= 60
    assert rig.channel.throttled == 1
    assert len(rig.requests()) == before + 1
    assert await rig.swept(rig.now - HOUR) == []


async def test_a_token_that_died_is_replaced_once(opens: OpensChannel) -> None:
    rig = await opens()
    started_at = rig.now
    await rig.buys("RED")
    await rig.settles()
    await rig.swept(started_at - HOUR)
    await rig.expires_tokens()
    before = rig.grants()

    assert len(await rig.swept(started_at - HOUR)) == 1

    assert rig.grants() == before + 1
    assert {401, 403} & {each.status for each in rig.requests()}


async def test_tokens_that_no_longer_help_are_a_persons_work(opens: OpensChannel) -> None:
    rig = await opens()

    async def expire(request: httpx.Request) -> None:
        if request.url.path != rig.token_path:
            await rig.expires_tokens()

    rig.recorder.before = expire
    with pytest.raises(AuthExpired):
        await rig.swept(rig.now - HOUR)
    asked = rig.grants()
    rig.recorder.before = None

    assert asked <= 2
    assert await rig.swept(rig.now - HOUR) == []


async def test_a_write_under_a_dead_token_has_its_effect_once(opens: OpensChannel) -> None:
    rig = await opens()
    await rig.writes({"BLUE": 3})
    await rig.expires_tokens()

    await rig.writes({"RED": 5})

    await rig.settles()
    assert await rig.shown() == {"RED": 5, "BLUE": 3, "GREEN": 500}
    assert (await rig.counter.get("stats"))["writes_applied"] == 2


async def test_credentials_that_are_wrong_are_a_persons_work(opens: OpensChannel) -> None:
    rig = await opens()

    async def refuse(request: httpx.Request) -> None:
        if request.url.path == rig.token_path:
            request.stream = httpx.ByteStream(b"x" * len(request.content))

    rig.recorder.before = refuse
    with pytest.raises(AuthExpired):
        await rig.channel.identify()

    rig.recorder.before = None
    assert (await rig.channel.identify()).name


async def test_nobody_listening_is_transient_for_a_read_and_for_a_write(opens: OpensChannel) -> None:
    rig = await opens()
    await rig.writes({"BLUE": 3})
    await rig.settles()

    async def unplug(request: httpx.Request) -> None:
        raise httpx.ConnectError("unplugged")

    rig.recorder.before = unplug
    with pytest.raises(Transient):
        await rig.swept(rig.now - HOUR)
    # Surely not sent: told so for the whole call, or for each row.
    with suppress(Transient):
        assert {each.outcome.value for each in await rig.writes({"RED": 5})} == {"not_written"}
    rig.recorder.before = None
    assert (await rig.shown())["RED"] == 500


async def test_identify_names_the_account_and_misses_nothing(opens: OpensChannel) -> None:
    rig = await opens()

    identity = await rig.channel.identify()

    assert identity.name
    assert identity.missing_scopes == ()


async def test_the_five_errors_are_five(opens: OpensChannel) -> None:
    """What a rig meets here is what the others meet too: the kinds are told apart by type alone."""
    rig = await opens()
    with pytest.raises(Rejected) as rejected:
        await rig.channel.send_write("key", "{}")
    await rig.channel.identify()

    assert rejected.value.field
    assert not isinstance(rejected.value, (Transient, OutcomeUnknown, AuthExpired))
