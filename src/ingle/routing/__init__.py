"""Which server answers for a model, and which models there are to ask for."""

from ingle.routing.listing import AvailableModels, Fault, ModelEntry
from ingle.routing.router import Capability, Route, Router

__all__ = ["AvailableModels", "Capability", "Fault", "ModelEntry", "Route", "Router"]
