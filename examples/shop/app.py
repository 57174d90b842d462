"""The shop in one Lambda function."""

from lambdakit import App

handler = App(
    "shop.orders",
    "shop.uploads",
    "shop.customers",
    "shop.shipping",
    "shop.reports",
    "shop.api",
    name="shop",
    memory_size=512,
    timeout=30,
)
