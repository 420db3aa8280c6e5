"""`/api/engines`: the child processes that run models here, and how to stop one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from ingle.runtime import Runtime

__all__ = ["routes"]
