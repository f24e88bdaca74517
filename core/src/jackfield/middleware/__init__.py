"""Middleware that a manager puts around calls: each module is a plugin that implements hooks."""
