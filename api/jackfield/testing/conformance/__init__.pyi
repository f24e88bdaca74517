"""What is public of jackfield.testing.conformance; `nox -s api -- --accept` writes it."""
from jackfield.testing.conformance.capabilities import CapabilityTests
from jackfield.testing.conformance.contract import ContractTests
from jackfield.testing.conformance.failing import FailureTests
from jackfield.testing.conformance.first import FirstTests
from jackfield.testing.conformance.generation import GenerationTests
from jackfield.testing.conformance.importing import ImportTests
from jackfield.testing.conformance.inputs import InputTests
from jackfield.testing.conformance.parameters import ParameterTests
from jackfield.testing.conformance.replays import ReplayTests
from jackfield.testing.conformance.secrecy import SecrecyTests
from jackfield.testing.conformance.tidiness import TidinessTests
__all__ = ['ProviderConformance']
class ProviderConformance(first.FirstTests, contract.ContractTests, importing.ImportTests, inputs.InputTests, parameters.ParameterTests, secrecy.SecrecyTests, replays.ReplayTests, failing.FailureTests, tidiness.TidinessTests, capabilities.CapabilityTests, generation.GenerationTests):
    ...
