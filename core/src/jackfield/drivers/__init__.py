"""Drivers perform the effects of flows: blocking, on an event loop, or in virtual time."""
