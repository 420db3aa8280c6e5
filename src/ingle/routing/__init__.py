"""Which server answers for a model, and which models there are to ask for."""

from ingle.routing.health import Health, HealthStatus
from ingle.routing.listing import AvailableModels, Fault, ModelEntry
from ingle.routing.route import Route
from ingle.routing.router import Capability, Router
from ingle.routing.tries import CALLERS_FAULT, Tries

__all__ = [
    "CALLERS_FAULT",
    "AvailableModels",
    "Capability",
    "Fault",
    "Health",
    "HealthStatus",
    "ModelEntry",
    "Route",
    "Router",
    "Tries",
]
