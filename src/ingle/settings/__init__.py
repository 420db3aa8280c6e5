"""Every setting: its value, where that came from, and what it means."""

from ingle.settings.settings import (
    ConnectionSetting,
    RouteSetting,
    Setting,
    Settings,
    load_settings,
    set_in_file,
    unset_in_file,
)
from ingle.settings.sources import Source

__all__ = [
    "ConnectionSetting",
    "RouteSetting",
    "Setting",
    "Settings",
    "Source",
    "load_settings",
    "set_in_file",
    "unset_in_file",
]
