"""Widgets: resources of an HTTP JSON API, in full or by what was changed since the last run.

What makes this API what it is stands in `RESOURCES` and in the manifest. Change both, and `fixtures/api.py` with them.
"""

from sluice_sdk import (
    CheckStep, Config, DiscoverFilter, DiscoverPage, Error, Hints, Manifest, Output, Plan, Selection, Source, Split, auth, export,
    field, secret,
)
from sluice_sdk.api import Api, Columns, Increment, Paging, Resource, Resources, types


class WidgetsConfig(Config):
    """How to reach the API."""

    url: str = field("Where the API is.", title="URL", example="https://api.example.com", format="uri")
    api_key: str | None = secret(
        "The key of an account that may read. It stays with the host, which adds it to each request.", title="API key"
    )


#: The API's resources, each of them a stream.
RESOURCES = Resources(
    Resource(
        "orders",
        "/orders",
        Columns()
        .required("id", types.INT)
        .optional("customer", types.TEXT).at("/customer/name")
        .optional("total", types.decimal(12, 2))
        .optional("weight", types.FLOAT)
        .optional("paid", types.BOOL)
        .optional("placed_on", types.DATE)
        .optional("address", types.JSON)
        .required("updated_at", types.TIMESTAMP),
        records="/data",
        paging=Paging.cursor("/next_cursor", "cursor"),
        query=(("limit", "100"),),
        key=("id",),
        increment=Increment.by("updated_at", "updated_since", ascending=True),
    ),
    Resource(
        "customers",
        "/customers",
        Columns().required("id", types.INT).optional("name", types.TEXT),
        records="/data",
        paging=Paging.number("page", 10),
        key=("id",),
    ),
)


class Widgets(Source):
    """The API as a source."""

    manifest = Manifest(
        name="widgets",
        version="0.1.0",
        title="Widgets",
        description="Orders and customers of an HTTP JSON API, in full or by the time of their last change.",
        config=WidgetsConfig,
        hosts=["{url}"],
        auth=[auth("header", name="X-Api-Key", value="api_key")],
        capabilities=["incremental"],
    )

    def __init__(self, config: WidgetsConfig) -> None:
        try:
            self.api = Api(config.url)
        except Error as error:
            error.field = "/url"
            raise

    def check(self) -> list[CheckStep]:
        return RESOURCES.check(self.api)

    def discover(self, filter: DiscoverFilter, page: str | None) -> DiscoverPage:
        return RESOURCES.discover(filter, page)

    def plan(self, selections: list[Selection], hints: Hints) -> Plan:
        return RESOURCES.plan(selections, hints)

    def read(self, split: Split, start: bytes | None, output: Output) -> None:
        RESOURCES.read(self.api, split, start, output)


Source = export(Widgets)
