"""How far the work is, for whoever watches."""

from __future__ import annotations

import sys

__all__ = ["Bar"]


class Bar:
    """A progress bar on standard error, where a person watches."""

    def __init__(self, *, unit: str, hidden: bool, total: float | None) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            total=total,
            unit=unit,
            unit_scale=unit == "s",
            delay=1,  # short work shows none
            leave=False,
            disable=hidden or not sys.stderr.isatty(),
            file=sys.stderr,
        )

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def reach(self, position: float) -> None:
        """Come to a position, in units."""
        self._bar.update(position - self._bar.n)

    def write(self, line: str) -> None:
        """A line on standard output, above the bar."""
        self._bar.write(line, file=sys.stdout)
