"""How a token endpoint says no."""

from __future__ import annotations


class OAuthRefused(Exception):
    """A refusal in OAuth's shape. The vendors' texts are from memory."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.code = code
        self.description = description
