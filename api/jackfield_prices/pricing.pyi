"""What is public of jackfield_prices.pricing; `nox -s api -- --accept` writes it."""
from jackfield.types import Pricing
__all__ = []
class ModelPricing(Pricing):
    def cost(self, usage: Usage) -> Cost: ...
    prices: Any
    def __init__(self, *, input: Decimal, output: Decimal, cache_read: Decimal | None = None, cache_write: Decimal | None = None, source: str = '', as_of: date | None = None, prices: Any) -> None: ...
