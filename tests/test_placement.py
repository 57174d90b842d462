"""Where invocations run: environments, concurrency and rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.placement import Ending, Environment, Fate, Lifetimes, Placement, Throttle


def placed(placement: Placement, name: str = "shop", now: float = 0, *, counted: bool = True) -> Environment:
    environment = placement.place(name, now, counted=counted)
    assert isinstance(environment, Environment)
    return environment


def service(**settings: int) -> Placement:
    placement = Placement()
    placement.add("shop", **settings)
    return placement


def test_an_idle_environment_is_used_before_a_new_one_starts() -> None:
    """The second invocation finds the first one's environment."""
    placement = service()
    first = placed(placement)
    placement.release(first, 1)

    assert placed(placement, now=2) is first


def test_the_environment_used_last_is_used_next() -> None:
    """So that the others grow old and can be reaped."""
    placement = service()
    first, second = placed(placement), placed(placement)
    placement.release(first, 1)
    placement.release(second, 2)

    assert placed(placement, now=3) is second


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"reserved": 2}, Throttle.RESERVED),
        ({"reserved": 0}, Throttle.RESERVED),
        ({}, Throttle.ACCOUNT),
    ],
    ids=["reserved", "none", "account"],
)
def test_beyond_the_limit_is_a_throttle_with_its_reason(settings: dict[str, int], reason: Throttle) -> None:
    """A reservation is a cap of its own; without one the account's limit holds."""
    placement = Placement(account_concurrency=900)
    placement.add("shop", **settings)

    answers = [placement.place("shop", 0, counted=False) for _ in range(901)]

    assert answers[-1] is reason


def test_a_reservation_is_taken_from_the_others() -> None:
    """300 reserved leave 700 of 1,000 for the function without a reservation."""
    placement = service(reserved=300)
    placement.add("other")

    answers = [placement.place("other", 0, counted=False) for _ in range(701)]

    assert [isinstance(answer, Throttle) for answer in answers].index(True) == 700


def test_reserving_too_much_is_refused_in_lambdas_words() -> None:
    """100 of the account's concurrency stay unreserved."""
    placement = Placement(account_concurrency=1_000)

    with pytest.raises(ValueError, match=r"below its minimum value of \[100\]"):
        placement.add("shop", reserved=901)


def test_requests_are_limited_to_ten_a_second_for_each_concurrency() -> None:
    """At once 10 x 2 are taken, though each is over before the next; asynchronous ones are exempt."""
    placement = service(reserved=2)

    def asked(*, counted: bool) -> object:
        answer = placement.place("shop", 0, counted=counted)
        if isinstance(answer, Environment):
            placement.release(answer, 0)
        return answer

    answers = [asked(counted=True) for _ in range(21)]

    assert answers[-1] is Throttle.RESERVED_RATE
    assert isinstance(asked(counted=False), Environment)


def test_a_function_gains_a_thousand_environments_each_ten_seconds() -> None:
    """Refilled continuously, never accrued: 1,000 at once, 100 more a second later."""
    placement = Placement(account_concurrency=10_000)
    placement.add("shop")

    at_once = [placement.place("shop", 0, counted=False) for _ in range(1_001)]
    later = [placement.place("shop", 1, counted=False) for _ in range(101)]

    assert [sum(isinstance(answer, Environment) for answer in answers) for answers in (at_once, later)] == [1_000, 100]


def test_provisioned_environments_stand_before_they_are_asked_for() -> None:
    """They are used first, and beyond them the function spills over to new ones."""
    placement = Placement()
    for environment in placement.add("shop", provisioned=2):
        placement.prepared(environment, 0)

    environments = [placed(placement) for _ in range(3)]

    assert [environment.initialized for environment in environments] == [True, True, False]


def test_provisioned_environments_serve_ten_requests_a_second_each() -> None:
    """Beyond that rate an invocation spills over to an environment on demand; an asynchronous one does not count."""
    placement = Placement()
    [environment] = placement.add("shop", provisioned=1)
    placement.prepared(environment, 0)

    def asked(*, counted: bool = True) -> bool:
        given = placed(placement, counted=counted)
        placement.release(given, 0)
        return given.provisioned

    answers = [asked() for _ in range(11)]

    assert answers == [True] * 10 + [False]
    assert asked(counted=False)


@pytest.mark.parametrize("ending", [Ending.RESET, Ending.GONE])
def test_a_provisioned_environment_that_ended_serves_once_it_is_prepared_anew(ending: Ending) -> None:
    """Lambda replaces it; meanwhile the function spills over."""
    placement = Placement()
    [environment] = placement.add("shop", provisioned=1)
    placement.prepared(environment, 0)

    fate = placement.release(placed(placement), 1, ending)
    meanwhile = placed(placement, now=1)
    placement.prepared(environment, 2)

    assert (fate, meanwhile.provisioned, placed(placement, now=2)) == (Fate.REPLACED, False, environment)


def test_functions_without_a_reservation_share_the_accounts_requests() -> None:
    """10 a second for each unit of the account's concurrency, in all."""
    placement = Placement(account_concurrency=2)
    placement.add("a")
    placement.add("b")

    answers = [placement.place(name, 0) for name in "ab" * 10 + "a"]

    assert answers[-1] is Throttle.ACCOUNT_RATE


@pytest.mark.parametrize(
    ("ending", "fate"), [(Ending.READY, Fate.KEPT), (Ending.RESET, Fate.KEPT), (Ending.GONE, Fate.ENDED)]
)
def test_an_environment_stays_unless_it_never_became_one(ending: Ending, fate: Fate) -> None:
    """After a reset it is used again, and initialized anew."""
    placement = service()
    environment = placed(placement)

    assert placement.release(environment, 1, ending) is fate
    assert environment.initialized is (ending is Ending.READY)


def test_idle_environments_are_reaped_the_longest_idle_first() -> None:
    """After the idle lifetime, counted from their last invocation."""
    placement = Placement(lifetimes=Lifetimes(idle=60))
    placement.add("shop")
    first, second = placed(placement), placed(placement)
    placement.release(first, 10)
    placement.release(second, 20)

    assert placement.expire("shop", 70) == [first]


def test_an_old_environment_is_retired_when_it_is_free() -> None:
    """Even under load: environments live for hours, not days."""
    placement = Placement(lifetimes=Lifetimes(total=3_600))
    placement.add("shop")
    environment = placed(placement)

    assert placement.release(environment, 3_600) is Fate.ENDED


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "end"]), st.integers(0, 9), st.sampled_from(Ending)), max_size=80))
def test_no_history_breaks_a_limit(history: list[tuple[str, int, Ending]]) -> None:
    """Never two invocations in an environment, never more than reserved or than the account has, whatever happens."""
    placement = Placement(account_concurrency=104)
    placement.add("a", reserved=3)
    placement.add("b")
    running: list[Environment] = []

    for now, (step, which, ending) in enumerate(history):
        if step == "end":
            if running:
                placement.release(running.pop(which % len(running)), now, ending)
        else:
            answer = placement.place(step, now)
            if isinstance(answer, Environment):
                assert answer not in running
                running.append(answer)
        assert sum(environment.function == "a" for environment in running) <= 3
        assert sum(environment.function == "b" for environment in running) <= 101


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "end"]), st.integers(0, 9), st.sampled_from(Ending)), max_size=80))
def test_the_same_history_gives_the_same_decisions(history: list[tuple[str, int, Ending]]) -> None:
    """Nothing else is asked: no clock, no chance."""
    assert decisions(history) == decisions(history)


def decisions(history: list[tuple[str, int, Ending]]) -> list[object]:
    """What a placement answers to a history, environments by their numbers."""
    placement = Placement(account_concurrency=104)
    placement.add("a", reserved=3)
    placement.add("b")
    running: list[Environment] = []
    answers: list[object] = []
    for now, (step, which, ending) in enumerate(history):
        if step == "end":
            answers.append(placement.release(running.pop(which % len(running)), now, ending) if running else None)
            continue
        answer = placement.place(step, now)
        answers.append((answer.function, answer.number) if isinstance(answer, Environment) else answer)
        if isinstance(answer, Environment):
            running.append(answer)
    return answers
