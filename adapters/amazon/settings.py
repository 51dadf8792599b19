"""What a seller tells us about one Amazon account: one seller in one region."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """The seller's own SQS queue that Amazon sends notifications to. `endpoint_url`: only where it is not AWS's own."""

    url: str
    region: str
    endpoint_url: str | None
    access_key_id: str
    secret_access_key: str = field(repr=False)
    wait_real_s: int = 20  # how long one receive waits for news

    def __post_init__(self) -> None:
        if not 0 <= self.wait_real_s <= 20:
            raise ValueError("wait_real_s must be between 0 and 20")


@dataclass(frozen=True, slots=True)
class AmazonSettings:
    """`marketplace_ids`: those sold in, of one region. Orders are read from all of them; listings are read and written
    in the first, whose number for a seller SKU is the region's.
    """

    base_url: str  # https://sellingpartnerapi-na.amazon.com, -eu or -fe
    token_url: str  # https://api.amazon.com/auth/o2/token
    seller_id: str
    marketplace_ids: tuple[str, ...]
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    queue: QueueSettings | None = None
    poll_every_s: float = 180.0
    request_timeout_real_s: float = 20.0

    def __post_init__(self) -> None:
        if not 1 <= len(self.marketplace_ids) <= 50:  # the most that searchOrders takes
            raise ValueError("marketplace_ids must name between 1 and 50 marketplaces")
        for name in ("seller_id", "client_id", "client_secret", "refresh_token"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty")

    @property
    def home(self) -> str:
        """The marketplace whose listings are ours to read and write."""
        return self.marketplace_ids[0]
