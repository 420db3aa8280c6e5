"""In which order steps can run: each after those whose values it uses."""

from __future__ import annotations

from collections.abc import Mapping, Set
from graphlib import CycleError, TopologicalSorter

__all__ = ["in_order"]


def in_order(needs: Mapping[str, Set[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The steps so that each comes after those that it needs, and the steps of a cycle.

    Where there is a cycle, the order is empty; else the cycle is. `needs` may name what is not a
    step; that is no matter of order.
    """
    sorter = TopologicalSorter({name: sorted(of & needs.keys()) for name, of in needs.items()})
    try:
        return tuple(sorter.static_order()), ()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return (), tuple(reversed(cycle[1:]))
