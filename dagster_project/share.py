"""A part of a whole, and how sure that is: for what is counted outside the marts."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

WILSON_Z = 1.959963984540054
"""The 97.5 % point of the normal distribution, as in the marts' own intervals."""


@dataclass(frozen=True)
class Share:
    """A part of a whole with its 95 % Wilson interval, in percent."""

    part: int
    whole: int

    @property
    def pct(self) -> float | None:
        """None without a whole."""
        return 100 * self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, or None without a whole."""
        if not self.whole:
            return None
        rate, spread = self.part / self.whole, WILSON_Z**2 / self.whole
        centre = rate + spread / 2
        half = sqrt(spread * rate * (1 - rate) + spread**2 / 4)
        low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
        return (100 * max(low, 0.0), 100 * min(high, 1.0))
