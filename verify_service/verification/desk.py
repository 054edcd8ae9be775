"""Take a claim or an event to the registry and the log, and return the answer once it is durable."""

from __future__ import annotations
