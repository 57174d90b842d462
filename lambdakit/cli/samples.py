"""Made-up events that fit an App: from its own buckets, queues and tables, with payloads that its handlers can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

from lambdakit.cli.errors import CommandError
from lambdakit.cli.parser import meant
from lambdakit.testing import events

if TYPE_CHECKING:
    from lambdakit.app import App


def sample_for(app: App, name: str) -> Any:
    """An event of a source, for the first handler that takes it if any does; or for the handler of that name.

    Raises:
        CommandError: there is no such source and no such handler, or no event is found that the handler takes.
    """
    try:
        return _of_source(app, name) if name in events.NAMES else _of_handler(app, name)
    except ValueError as error:
        raise CommandError(f"there is no sample for {name!r}: {error}.") from error


def _of_source(app: App, name: str) -> Any:
    build = events.builder(name)
    takers = [h for h in app.handlers if name == h.trigger.source or name in h.trigger.labels]
    # A builder whose first parameter is a text takes no handler, and what `on_event` marks has no names to take.
    if not takers or takers[0].trigger.source == "event" or next(iter(get_type_hints(build).values())) is str:
        return build()
    return build(takers[0].function)


def _of_handler(app: App, name: str) -> Any:
    for handler in app.handlers:
        if name in (handler.name, handler.function.__name__):
            return events.sample(handler.function, handler.trigger.source)
    names = [handler.function.__name__ for handler in app.handlers]
    raise CommandError(
        f"there is no source or handler {name!r}{meant(name, [*names, *events.NAMES])} "
        f"The handlers: {', '.join(names) or 'none'}. The sources: `lambdakit event --list`."
    )
