"""How many batches of a queue are processed at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.mappings.scaling import Scaling, ScalingLimits


def test_concurrency_grows_by_300_a_minute_while_all_of_it_is_used() -> None:
    """From 5 to 1,250, evenly."""
    scaling = Scaling(ScalingLimits())
    scaling.busy(0)

    assert [scaling.limit(now) for now in (0, 0.2, 1, 60, 120, 249, 1_000)] == [5, 6, 10, 305, 605, 1_250, 1_250]


def test_it_does_not_grow_while_some_of_it_is_free() -> None:
    """And goes on from there."""
    scaling = Scaling(ScalingLimits())
    scaling.busy(0)
    scaling.relaxed(1)
    seen = [scaling.limit(1), scaling.limit(60)]
    scaling.busy(60)

    assert [*seen, scaling.limit(61)] == [10, 10, 15]


def test_it_begins_anew_when_nothing_is_left_to_do() -> None:
    """With five."""
    scaling = Scaling(ScalingLimits())
    scaling.busy(0)
    scaling.relaxed(60)
    scaling.idle()

    assert scaling.limit(60) == 5


def test_each_failure_takes_one_away_but_two_are_left() -> None:
    """And nothing grows until a batch succeeds."""
    scaling = Scaling(ScalingLimits())
    seen: list[int] = []
    for _ in range(4):
        scaling.failed(0)
        scaling.busy(0)
        seen.append(scaling.limit(60))
    scaling.succeeded()
    scaling.busy(60)

    assert [*seen, scaling.limit(61)] == [4, 3, 2, 2, 7]


@pytest.mark.parametrize(("limits", "limit"), [(ScalingLimits(most=3), 3), (ScalingLimits(start=20, most=200), 20)])
def test_it_begins_with_what_it_may_have(limits: ScalingLimits, limit: int) -> None:
    """No more than the most."""
    assert Scaling(limits).limit(0) == limit


def test_it_tells_when_there_is_one_more() -> None:
    """None while nothing grows, or nothing can."""
    scaling = Scaling(ScalingLimits(most=6))
    told = [scaling.next_growth(0)]
    scaling.busy(10)
    told.append(scaling.next_growth(10))

    assert [*told, scaling.next_growth(11)] == [None, 10.2, None]


STEPS = st.lists(
    st.tuples(st.sampled_from(["busy", "relaxed", "idle", "succeeded", "failed"]), st.floats(0, 1_000)), max_size=50
)


@given(STEPS, st.integers(2, 1_250))
def test_it_stays_between_two_and_the_most(steps: list[tuple[str, float]], most: int) -> None:
    """Whatever happens when; and there is one more at the time that is told."""
    scaling = Scaling(ScalingLimits(most=most))
    now = 0.0
    for step, wait in steps:
        now += wait
        if step in ("busy", "relaxed", "failed"):
            getattr(scaling, step)(now)
        else:
            getattr(scaling, step)()
        limit, growth = scaling.limit(now), scaling.next_growth(now)

        assert 2 <= limit <= most
        assert growth is None or (growth > now and scaling.limit(growth) == limit + 1)
