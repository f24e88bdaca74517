"""What is public of jackfield_prices; `nox -s api -- --accept` writes it."""
from jackfield_prices.pricing import ModelPricing as ModelPricing
__all__ = ['ModelPricing', 'SERVICES', 'price_model']
SERVICES: Mapping[str, str]
def price_model(provider: str, model: str) -> Pricing | None: ...
