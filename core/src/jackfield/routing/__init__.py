"""Providers made of providers."""
