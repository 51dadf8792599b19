"""What is sent to learn whether a broken route works again, when no message waits for it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from syncd.alerts.compose import Voice, page_links
from syncd.alerts.message import Message, Tone, to_json


def probe_message(voice: Voice) -> str:
    """Read by people only once it gets through: then it is news."""
    texts = voice.texts
    return to_json(Message(Tone.GOOD, texts.say("probe.title"), (texts.say("probe.body"),), links=page_links(voice)))


def trial_event(at: datetime) -> str:
    """An event of a type that means nothing, for a webhook."""
    event = {"type": "test", "timestamp": at.isoformat(), "data": {"message": "syncd can reach you here"}}
    return msgspec.json.encode(event).decode()
