"""What all event source mappings have in common."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from lambdakit.local.invocation import Invocation
from lambdakit.local.mappings.mapping import LostRecordsWarning, Mapping
from lambdakit.local.mappings.settings import QueueSettings
from lambdakit.local.sources.source import Place, Source
from lambdakit.local.virtual.clock import VirtualClock


class Idle:
    """A function that is never called."""

    name, arn, timeout = "shop", "arn:aws:lambda:us-east-1:123456789012:function:shop", 3.0

    def call(self, body: bytes, over: Callable[[Invocation], None]) -> None:
        raise AssertionError


class Log(Mapping[Source, QueueSettings]):
    """A mapping that writes down what it is told, and works for as long as it is told to."""

    def __init__(self, clock: VirtualClock, *, enabled: bool = True) -> None:
        self.told: list[str] = []
        self.working = False
        super().__init__(clock, Source("orders", Place(clock), "arn:orders"), Idle(), QueueSettings(enabled=enabled))

    def _start(self) -> None:
        self.told.append("start")

    def _stop(self) -> None:
        self.told.append("stop")

    @property
    def _busy(self) -> bool:
        return self.working

    def finish(self) -> None:
        self.working = False
        self._settle()

    def lose(self, *identifiers: str) -> None:
        self._lose(identifiers)


def test_a_mapping_polls_once_the_clock_runs() -> None:
    """It is being created until then."""
    clock = VirtualClock()
    mapping = Log(clock)
    states = [mapping.state]
    clock.run()

    assert ([*states, mapping.state], mapping.told) == (["Creating", "Enabled"], ["start"])


def test_a_mapping_that_is_not_enabled_waits() -> None:
    """Until it is."""
    clock = VirtualClock()
    mapping = Log(clock, enabled=False)
    clock.run()
    states = [mapping.state]
    mapping.enable()
    states.append(mapping.state)
    clock.run()

    assert ([*states, mapping.state], mapping.told) == (["Disabled", "Enabling", "Enabled"], ["start"])


@pytest.mark.parametrize(
    ("cease", "states"),
    [(Log.disable, ["Disabling", "Disabling", "Disabled"]), (Log.delete, ["Deleting", "Deleting", "Deleted"])],
)
def test_a_mapping_that_ceases_finishes_what_is_under_way(cease: Callable[[Log], None], states: list[str]) -> None:
    """It polls no more, and is off when the last batch ended."""
    clock = VirtualClock()
    mapping = Log(clock)
    clock.run()
    mapping.working = True
    cease(mapping)
    seen: list[str] = [mapping.state]
    clock.run()
    seen.append(mapping.state)
    mapping.finish()

    assert ([*seen, mapping.state], mapping.told) == (states, ["start", "stop"])


def test_a_mapping_that_is_enabled_again_before_it_ceased_goes_on() -> None:
    """It never stopped."""
    clock = VirtualClock()
    mapping = Log(clock)
    clock.run()
    mapping.disable()
    mapping.enable()
    clock.run()

    assert (mapping.state, "stop" in mapping.told) == ("Enabled", False)


def test_a_deleted_mapping_stays_so() -> None:
    """Whatever it is told."""
    clock = VirtualClock()
    mapping = Log(clock)
    mapping.delete()
    clock.run()
    mapping.enable()
    mapping.disable()
    clock.run()

    assert (mapping.state, mapping.told) == ("Deleted", ["stop"])


def test_records_that_are_lost_are_noted_and_warned_of_once() -> None:
    """The warning names function, source and identifiers, what Lambda does and what to do."""
    mapping = Log(VirtualClock())

    with pytest.warns(LostRecordsWarning) as warned:
        mapping.lose("m1", "m2")
    mapping.lose("m3")

    assert (mapping.lost, mapping.counts.lost, [str(each.message) for each in warned]) == (
        ["m1", "m2", "m3"],
        3,
        [
            "shop reported records of <Source 'orders'> as failed (m1, m2), but its mapping has no "
            "ReportBatchItemFailures: Lambda takes the whole batch for done and never delivers them again. "
            'Map it with function_response_types="ReportBatchItemFailures", or raise an exception to have the whole '
            "batch retried."
        ],
    )


def test_the_warning_copies() -> None:
    """Its fields are its arguments."""
    warning = LostRecordsWarning("shop", "queue 'orders'", ["m1"])

    assert copy.copy(warning).args == ("shop", "queue 'orders'", ("m1",))


def test_the_same_seed_names_a_mapping_the_same() -> None:
    """By chance, but not by accident."""
    assert len({Log(VirtualClock(seed)).uuid for seed in (1, 1, 2)}) == 2
