"""What connectors of HTTP JSON APIs share: requests that wait and try again, pages, columns, increments, and the four verbs."""

from . import types
from .client import Answer, Api, Patience
from .columns import Columns
from .increment import Increment
from .page import Paging
from .resource import Resource, Resources

__all__ = ["Answer", "Api", "Columns", "Increment", "Paging", "Patience", "Resource", "Resources", "types"]
