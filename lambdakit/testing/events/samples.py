"""An event that a handler's trigger takes, whatever its source."""

from __future__ import annotations

from typing import Any

from lambdakit.testing.events.sources import Source, no_trigger, triggers_of


def sample(handler: Source, source: str | None = None, **options: Any) -> Any:
    """An event that a handler takes: from the right place, of the right kind, with a payload that it can read.

    Args:
        handler: A marked function, or a trigger.
        source: Which of its triggers, by the decorator's name without ``on_``; by default the one on top.
        **options: Of the builder of that source, such as ``records=10``.

    Raises:
        ValueError: it has no such trigger, or no event is found that it takes.

    >>> from lambdakit import on_s3
    >>> from lambdakit.events import S3Record
    >>> @on_s3("uploads", prefix="in/", suffix=".csv")
    ... def ingest(upload: S3Record) -> None: ...
    >>> sample(ingest)["Records"][0]["s3"]["object"]["key"]
    'in/file-1.csv'
    """
    from lambdakit.testing.events import builder

    for trigger in triggers_of(handler):
        if source in (None, trigger.source):
            if trigger.source != "event":
                return builder(trigger.source)(handler, **options)
            [label] = trigger.labels
            return builder(label)(**options)
    raise no_trigger(handler, f"on_{source}" if source else "decorator")
