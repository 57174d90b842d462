"""Dependencies: made once, cleaned up in reverse, replaced in a test and only as long as the test says."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Annotated, Any

import pytest

from lambdakit import App, Depends, Invocation, LambdaContext, on_invoke, on_sqs
from lambdakit.errors import RegistrationError

log: list[str] = []


@pytest.fixture(autouse=True)
def empty_log() -> None:
    log.clear()


def plain() -> str:
    log.append("made")
    return "value"


async def coroutine() -> str:
    await asyncio.sleep(0)
    log.append("made")
    return "value"


def generator() -> Iterator[str]:
    log.append("made")
    yield "value"
    log.append("cleaned")


async def async_generator() -> AsyncIterator[str]:
    await asyncio.sleep(0)
    log.append("made")
    yield "value"
    await asyncio.sleep(0)
    log.append("cleaned")


@contextlib.contextmanager
def manager() -> Generator[str]:
    log.append("made")
    yield "value"
    log.append("cleaned")


@contextlib.asynccontextmanager
async def async_manager() -> AsyncGenerator[str]:
    log.append("made")
    yield "value"
    log.append("cleaned")


class Factory:
    """An object that is called, and makes a generator."""

    def __call__(self) -> Iterator[str]:
        log.append("made")
        yield "value"
        log.append("cleaned")


def counted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def named(name: str) -> Iterator[str]:
    log.append("made")
    yield name
    log.append("cleaned")


Value = Annotated[str, Depends(plain)]

FORMS: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "plain": (plain, ["made", "used value"]),
    "async": (coroutine, ["made", "used value"]),
    "generator": (generator, ["made", "used value", "cleaned"]),
    "async generator": (async_generator, ["made", "used value", "cleaned"]),
    "context manager": (manager, ["made", "used value", "cleaned"]),
    "async context manager": (async_manager, ["made", "used value", "cleaned"]),
    "object": (Factory(), ["made", "used value", "cleaned"]),
    "wrapped generator": (counted(generator), ["made", "used value", "cleaned"]),
    "wrapped coroutine": (counted(coroutine), ["made", "used value"]),
    "partial generator": (functools.partial(named, name="value"), ["made", "used value", "cleaned"]),
    "lambda": (lambda: "value", ["used value"]),
}


def using(dependency: Callable[..., Any], **settings: Any) -> App:
    """An App whose only handler notes the value it depends on."""

    @on_invoke
    def handler(value: Annotated[str, Depends(dependency, **settings)]) -> None:
        log.append(f"used {value}")

    return App(handler)


@pytest.mark.parametrize(("dependency", "lines"), FORMS.values(), ids=FORMS)
def test_each_form_of_function_provides_a_value(dependency: Callable[..., Any], lines: list[str]) -> None:
    """Plain, async, generators of both kinds, and what their decorators and partials make of them."""
    using(dependency)({})

    assert log == lines


@pytest.mark.parametrize("dependency", [generator, async_generator, manager, async_manager])
def test_an_invocations_value_serves_one_invocation(dependency: Callable[..., Any]) -> None:
    """Made before the handler, cleaned up after it, each time anew."""
    app = using(dependency)
    app({})
    app({})

    assert log == ["made", "used value", "cleaned"] * 2


@pytest.mark.parametrize("dependency", [generator, async_generator, manager, async_manager])
def test_an_environments_value_serves_until_the_app_is_closed(dependency: Callable[..., Any]) -> None:
    """A connection is opened with the first invocation that needs it; a closed App may be used again."""
    app = using(dependency, scope="environment")
    app({})
    app({})
    app.close()
    app({})
    app.close()

    assert log == ["made", "used value", "used value", "cleaned", "made", "used value", "cleaned"]


def noted(name: str) -> Callable[[], Iterator[str]]:
    """A dependency that notes when it is made and cleaned up, and how the handler ended."""

    def dependency() -> Iterator[str]:
        log.append(f"+{name}")
        try:
            yield name
        except LookupError as error:
            log.append(f"{name} saw {error}")
            raise
        finally:
            log.append(f"-{name}")

    return dependency


def test_clean_up_is_in_reverse() -> None:
    """What was made last may need what was made before."""
    first, second = noted("first"), noted("second")

    def third(second: Annotated[str, Depends(second)]) -> Iterator[str]:
        yield from noted(f"third of {second}")()

    @on_invoke
    def handler(
        first: Annotated[str, Depends(first)],
        third: Annotated[str, Depends(third)],
        second: Annotated[str, Depends(second)],
    ) -> str:
        return f"{first}, {second}, {third}"

    assert App(handler)({}) == "first, second, third of second"
    assert log == ["+first", "+second", "+third of second", "-third of second", "-second", "-first"]


def test_a_handlers_failure_reaches_its_dependencies_and_then_the_caller() -> None:
    """A session can roll back; the exception stays what it was, whatever a dependency makes of it."""

    def swallowing() -> Iterator[str]:
        with contextlib.suppress(LookupError):
            yield "value"

    @on_invoke
    def handler(
        swallowing: Annotated[str, Depends(swallowing)], noted: Annotated[str, Depends(noted("session"))]
    ) -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        App(handler)({})

    assert log == ["+session", "session saw nothing there", "-session"]


def test_what_was_made_is_cleaned_up_when_the_next_one_fails() -> None:
    """Half of the dependencies are no reason to leave a connection open."""

    def failing() -> str:
        raise LookupError("no such secret")

    @on_invoke
    def handler(noted: Annotated[str, Depends(noted("a"))], failing: Annotated[str, Depends(failing)]) -> None: ...

    with pytest.raises(LookupError, match="no such secret"):
        App(handler)({})

    assert log == ["+a", "a saw no such secret", "-a"]


def test_an_environments_value_that_failed_is_tried_again() -> None:
    """The first invocation failed for want of it; the next one may have more luck."""
    outcomes: Iterator[Any] = iter([LookupError("down"), "up"])

    def connect() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    app = using(connect, scope="environment")
    with pytest.raises(LookupError):
        app({})
    app({})

    assert log == ["used up"]


def test_a_value_is_made_once_an_invocation() -> None:
    """However many ask for it: parameters, other dependencies, two handlers of one batch, each record of it."""

    def reader(value: Annotated[str, Depends(plain)]) -> str:
        return value

    @on_sqs("a")
    def one(value: Annotated[str, Depends(plain)], reader: Annotated[str, Depends(reader)]) -> None: ...

    @on_sqs("b")
    def other(value: Annotated[str, Depends(plain)]) -> None: ...

    App(one, other)(messages("a", "a", "b", "b"))

    assert log == ["made"]


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_value_is_made_once_for_records_side_by_side(asynchronous: bool) -> None:
    """Before the first of them runs, so that none sees half of it."""

    async def on_the_loop(body: str, value: Annotated[str, Depends(async_generator)]) -> None:
        log.append(f"used {body}")
        await asyncio.sleep(0)

    def on_a_thread(body: str, value: Annotated[str, Depends(async_generator)]) -> None:
        log.append(f"used {body}")

    App(on_sqs(concurrency=3)(on_the_loop if asynchronous else on_a_thread))(messages("a", "b", "c"))

    assert [log[0], sorted(log[1:4]), log[4]] == ["made", ["used a", "used b", "used c"], "cleaned"]


def messages(*queues: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSource": "aws:sqs",
                "messageId": str(number),
                "body": queue,
                "eventSourceARN": f"arn:aws:sqs:us-east-1:1:{queue}",
            }
            for number, queue in enumerate(queues)
        ]
    }


def test_a_dependency_sees_the_context_and_the_invocation() -> None:
    """Those of its invocation."""

    def who(context: LambdaContext, invocation: Invocation, rest: str = "!") -> str:
        return f"{context.function_name} of {invocation.source}{rest}"

    @on_invoke
    def handler(who: Annotated[str, Depends(who)]) -> str:
        return who

    assert App(handler)({}, LambdaContext(function_name="shop")) == "shop of direct!"


def test_one_function_may_serve_both_scopes() -> None:
    """Each parameter gets the value of its own scope."""
    numbers = iter(range(9))

    def count() -> int:
        return next(numbers)

    @on_invoke
    def handler(
        fixed: Annotated[int, Depends(count, scope="environment")], fresh: Annotated[int, Depends(count)]
    ) -> tuple[int, int]:
        return fixed, fresh

    app = App(handler)

    assert [app({}), app({})] == [[0, 1], [0, 2]]


def test_a_class_is_a_dependency() -> None:
    """Its ``__init__`` says what it depends on."""

    class Repository:
        def __init__(self, table: Annotated[str, Depends(plain)], size: int = 3) -> None:
            self.table = table
            self.size = size

    @on_invoke
    def handler(repository: Annotated[Repository, Depends(Repository)]) -> tuple[str, int]:
        return repository.table, repository.size

    assert App(handler)({}) == ["value", 3]


def test_an_alias_stands_for_a_dependency() -> None:
    """``Db = Annotated[...]`` is written once and used everywhere, also where None would do."""

    @on_invoke
    def handler(value: Value | None = None) -> str | None:
        return value

    assert App(handler)({}) == "value"


# Refused at the start


def in_a_circle() -> Callable[..., Any]:
    """``one`` depends on ``other``, which depends on ``one``."""

    def one(value: Any) -> None: ...

    def other(value: Annotated[None, Depends(one)]) -> None: ...

    one.__annotations__["value"] = Annotated[None, Depends(other)]
    return one


MARK: Any = Depends(plain)


def asks_for_the_unknown(size: int) -> None: ...


def has_a_mark_for_a_default(size: str = MARK) -> None: ...


def asks_for_the_context(context: LambdaContext) -> None: ...


def asks_for_the_invocation(invocation: Invocation) -> None: ...


def asks_for_a_shorter_life(value: Annotated[str, Depends(plain)]) -> None: ...


IMPOSSIBLE: dict[str, tuple[Depends, str]] = {
    "a circle": (Depends(in_a_circle()), "a dependency depends on itself: one -> other -> one"),
    "the unknown": (Depends(asks_for_the_unknown), "dependency parameter 'size' can't be provided"),
    "a default": (Depends(has_a_mark_for_a_default), "dependency parameter 'size' can't be provided"),
    "a built-in function": (Depends(min), "Python can't tell the parameters of <built-in function min>"),
    "the context of none": (
        Depends(asks_for_the_context, scope="environment"),
        "what lives as long as the environment asks for the context, which lasts one call",
    ),
    "the invocation of none": (
        Depends(asks_for_the_invocation, scope="environment"),
        "what lives as long as the environment asks for the invocation",
    ),
    "a shorter life": (
        Depends(asks_for_a_shorter_life, scope="environment"),
        "Mark it Depends(plain, scope='environment') too.",
    ),
}


@pytest.mark.parametrize(("mark", "words"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_can_not_be_provided_is_refused(mark: Depends, words: str) -> None:
    """While the function starts, not with the first event."""

    def handler(value: Any) -> None: ...

    handler.__annotations__["value"] = Annotated[None, mark]
    with pytest.raises(RegistrationError) as caught:
        App(on_invoke(handler))

    assert words in str(caught.value)


@pytest.mark.parametrize("value", ["url", 5, None])
def test_depends_takes_a_function(value: Any) -> None:
    """A value is no function; the message says how to make it one."""
    with pytest.raises(TypeError, match="for a value write Depends\\(lambda: value\\)"):
        Depends(value)


def test_a_scope_is_one_of_two() -> None:
    """There is no third."""
    with pytest.raises(ValueError, match="scope is 'invocation' or 'environment', not 'request'"):
        Depends(plain, scope="request")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Overrides


def test_an_override_lasts_as_long_as_its_block() -> None:
    """A test replaces a dependency and leaves no trace, also when it fails."""
    app = using(plain)
    with contextlib.suppress(LookupError), app.override(plain, with_=lambda: "fake"):
        app({})
        raise LookupError
    app({})

    assert log == ["used fake", "made", "used value"]


def test_an_override_without_a_block_stays() -> None:
    """As a fixture may want it."""
    app = using(plain)
    app.override(plain, with_=lambda: "fake")
    app({})
    app({})

    assert log == ["used fake", "used fake"]


def test_overrides_nest() -> None:
    """The inner one is in force, and then the outer one again."""
    app = using(plain)
    with app.override(plain, with_=lambda: "outer"):
        with app.override(plain, with_=lambda: "inner"):
            app({})
        app({})
    app({})

    assert log == ["used inner", "used outer", "made", "used value"]


def test_an_override_may_depend_on_what_it_replaces() -> None:
    """A fake around the real thing."""

    def louder(value: Annotated[str, Depends(plain)]) -> str:
        return value.upper()

    app = using(plain)
    with app.override(plain, with_=louder):
        app({})

    assert log == ["made", "used VALUE"]


@pytest.mark.parametrize("scope", ["invocation", "environment"])
def test_what_depends_on_an_override_is_made_with_it(scope: Any) -> None:
    """A repository that was made with the real connection must not serve the test, nor one of the test what follows."""

    def connect() -> str:
        return "real"

    def repository(connection: Annotated[str, Depends(connect, scope=scope)]) -> str:
        return f"repository on {connection}"

    app = using(repository, scope=scope)
    app({})
    with app.override(connect, with_=lambda: "fake"):
        app({})
    app({})

    assert log == ["used repository on real", "used repository on fake", "used repository on real"]


def test_each_override_has_values_of_its_own() -> None:
    """Two tests that share a fake do not share what it made, though it lives as long as an environment."""

    def store() -> list[str]:
        return []

    @on_invoke
    def handler(word: str, store: Annotated[list[str], Depends(store, scope="environment")]) -> list[str]:
        store.append(word)
        return store

    app = App(handler)
    replies = []
    for word in ("one", "two"):
        with app.override(store, with_=lambda: ["fake"]):
            replies.append(app(word))

    assert replies == [["fake", "one"], ["fake", "two"]]


def test_an_override_has_the_scope_of_what_it_replaces() -> None:
    """Its clean-up comes when that of the real one would."""
    app = using(plain, scope="environment")
    with app.override(plain, with_=generator):
        app({})
        app({})
    app.close()

    assert log == ["made", "used value", "used value", "cleaned"]


def test_an_override_of_what_nothing_depends_on_is_an_error() -> None:
    """A test that replaces the wrong function would pass for the wrong reason."""
    with pytest.raises(ValueError, match=r"no handler depends on .*\.coroutine; the App's dependencies: plain"):
        using(plain).override(coroutine, with_=plain)


def test_an_override_that_can_not_work_is_refused() -> None:
    """Like any dependency, and before it is in force."""
    app = using(plain)
    with pytest.raises(RegistrationError, match="'size' can't be provided"):
        app.override(plain, with_=asks_for_the_unknown)
    app({})

    assert log == ["made", "used value"]
