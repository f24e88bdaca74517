"""What is public of jackfield_otel; `nox -s api -- --accept` writes it."""
from jackfield_otel.telemetry import CAPTURE as CAPTURE
from jackfield_otel.telemetry import Telemetry as Telemetry
__all__ = ['CAPTURE', 'Telemetry']
