"""OpenTelemetry: a span for every call and each of its attempts, and the client metrics.

After the semantic conventions for generative AI, which are in development:
https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ and
https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ (their source is
https://github.com/open-telemetry/semantic-conventions-genai, read in November 2026).

`telemetry` is what the entry point registers; it uses the global providers, and does
nothing until a program has set some.
"""

from __future__ import annotations

from .telemetry import CAPTURE, Telemetry

telemetry = Telemetry()
"""The plugin."""

__all__ = ["CAPTURE", "Telemetry", "telemetry"]
