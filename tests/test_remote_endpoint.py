"""How clients are made: nothing is asked of anyone."""

from __future__ import annotations

import sys
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from lambdakit.local.remote.endpoint import Endpoint

ORDERS = "123456789012/orders"


def session(region_name: str | None = None) -> Any:
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=region_name)


@pytest.fixture(autouse=True)
def _no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")


@pytest.mark.parametrize(
    ("endpoint", "resource", "region"),
    [
        (Endpoint(session=session()), "orders", "eu-central-1"),
        (Endpoint(session=session("eu-west-1")), "orders", "eu-west-1"),
        (Endpoint(session=session("eu-west-1")), "arn:aws:sqs:us-west-2:123456789012:orders", "us-west-2"),
        (Endpoint(session=session("eu-west-1")), f"https://sqs.us-gov-west-1.amazonaws.com/{ORDERS}", "us-gov-west-1"),
        (Endpoint(session=session("eu-west-1")), f"http://localhost:4566/{ORDERS}-us-east-1", "eu-west-1"),
        (Endpoint(None, "sa-east-1", session()), "arn:aws:sqs:us-west-2:123456789012:orders", "sa-east-1"),
    ],
    ids=["the local Lambda's", "the session's", "the ARN's", "the URL's", "none in a path", "the one given"],
)
def test_the_region_is(endpoint: Endpoint, resource: str, region: str) -> None:
    """What is said of the resource goes before what is said in general."""
    assert endpoint.open("sqs", resource, "eu-central-1").meta.region_name == region


@pytest.mark.parametrize(
    ("endpoint", "resource", "url"),
    [
        (Endpoint(session=session()), "orders", "https://sqs.us-east-1.amazonaws.com"),
        (Endpoint(session=session()), f"http://localhost:4566/{ORDERS}", "http://localhost:4566"),
        (
            Endpoint("http://127.0.0.1:5000", session=session()),
            f"http://localhost:4566/{ORDERS}",
            "http://127.0.0.1:5000",
        ),
    ],
    ids=["AWS's", "the queue's", "the one given"],
)
def test_the_endpoint_is(endpoint: Endpoint, resource: str, url: str) -> None:
    """Nothing is sent anywhere else."""
    assert endpoint.open("sqs", resource, "us-east-1").meta.endpoint_url == url


def test_boto3_tries_nothing_again() -> None:
    """The mapping does, with pauses of its own: both would try fifteen times."""
    config = Endpoint(session=session()).open("sqs", "orders", "us-east-1", wait=20).meta.config

    assert (config.retries["total_max_attempts"], config.read_timeout) == (1, 30)


def test_a_client_is_taken_as_it_is() -> None:
    """Whoever gives one knows why."""
    client = object()

    assert Endpoint(client=client).open("sqs", "orders", "us-east-1") is client


def test_boto3_is_needed_only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to install it."""
    monkeypatch.setitem(sys.modules, "boto3", None)

    with pytest.raises(ModuleNotFoundError, match=r"polled through boto3: pip install boto3"):
        Endpoint().open("sqs", "orders", "us-east-1")
