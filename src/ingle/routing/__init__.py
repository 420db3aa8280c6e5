"""Which server answers for a model, and which models there are to ask for."""

from ingle.routing.listing import AvailableModels, Fault, ModelEntry
from ingle.routing.router import Route, Router

__all__ = ["AvailableModels", "Fault", "ModelEntry", "Route", "Router"]
