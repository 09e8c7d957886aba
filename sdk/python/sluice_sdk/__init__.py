"""What the author of a Sluice connector in Python works with.

Derive from `Source`, describe it with a `Manifest` and its configuration with a `Config`, and end the module with
`Source = export(YourSource)`. `sluice connector build` makes a component of it. `sluice_sdk.api` has what connectors of HTTP JSON APIs
share.

The package knows the contract (`wit/`) and nothing of the host, and needs nothing but Python. Outside the sandbox the same code can be
imported, for unit tests; what only the host can do fails there with a sentence (`sluice_sdk.host`).
"""

from . import items, log, net
from .arrow import Column, Schema, Type
from .errors import Error, Kind
from .export import export
from .manifest import Config, Manifest, auth, field, secret
from .output import Channel, Output
from .source import (
    CheckStep,
    DiscoverFilter,
    DiscoverPage,
    Hints,
    Plan,
    Selection,
    Source,
    Split,
    StreamInfo,
    StreamPlan,
)

__all__ = [
    "Channel", "CheckStep", "Column", "Config", "DiscoverFilter", "DiscoverPage", "Error", "Hints", "Kind", "Manifest", "Output",
    "Plan", "Schema", "Selection", "Source", "Split", "StreamInfo", "StreamPlan", "Type", "auth", "export", "field", "items", "log", "net",
    "secret",
]
