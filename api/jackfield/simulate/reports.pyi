"""What is public of jackfield.simulate.reports; `nox -s api -- --accept` writes it."""
__all__ = []
class Comparison:
    after: Report
    before: Report
    differences: tuple[Difference, ...]
    def to_dict(self) -> dict[str, Any]: ...
    def __init__(self, before: Report, after: Report) -> None: ...
class Report:
    amplification: float
    cached: int | None
    calls: int
    cost: Decimal
    ended: float
    failed: int
    failovers: int
    failures: Mapping[str, int]
    first: Percentiles | None
    hours: tuple[HourReport, ...]
    input_tokens: int
    name: str
    openings: int
    output_tokens: int
    over_budget: int | None
    refused: int
    refused_by_budgets: int | None
    requests: int
    retries: int
    seed: int
    successes: int
    targets: Mapping[str, TargetReport]
    def to_dict(self) -> dict[str, Any]: ...
    def to_json(self) -> str: ...
    total: Percentiles | None
    trace: str
    unpriced: int
    waited: float
    warnings: tuple[str, ...]
    def __init__(self, *, name: str, trace: str, seed: int, calls: int, successes: int, failures: Mapping[str, int], first: Percentiles | None, total: Percentiles | None, input_tokens: int, output_tokens: int, cost: Decimal, unpriced: int, requests: int, refused: int, waited: float, failovers: int, retries: int, openings: int, ended: float, targets: Mapping[str, TargetReport], hours: tuple[HourReport, ...], cached: int | None = None, refused_by_budgets: int | None = None, over_budget: int | None = None, warnings: tuple[str, ...] = ...) -> None: ...
def compare_reports(before: Report, after: Report) -> Comparison: ...
