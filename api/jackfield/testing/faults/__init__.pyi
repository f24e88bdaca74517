"""What is public of jackfield.testing.faults; `nox -s api -- --accept` writes it."""
from jackfield.testing.faults.catalogue import CATALOGUE as CATALOGUE
from jackfield.testing.faults.log import Connection as Connection
from jackfield.testing.faults.log import Log as Log
from jackfield.testing.faults.log import Received as Received
from jackfield.testing.faults.server import FaultServer as FaultServer
from jackfield.testing.faults.values import Answer as Answer
from jackfield.testing.faults.values import DIALECTS as DIALECTS
from jackfield.testing.faults.values import Fault as Fault
from jackfield.testing.faults.values import Pace as Pace
from jackfield.testing.faults.values import Tokens as Tokens
from jackfield.testing.faults.values import ToolUse as ToolUse
from jackfield.testing.faults.values import VERDICTS as VERDICTS
__all__ = ['Answer', 'CATALOGUE', 'Connection', 'DIALECTS', 'Fault', 'FaultServer', 'Log', 'Pace', 'Received', 'Tokens', 'ToolUse', 'VERDICTS']
