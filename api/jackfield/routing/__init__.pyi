"""What is public of jackfield.routing; `nox -s api -- --accept` writes it."""
from jackfield.routing.endings import StreamFailed as StreamFailed
from jackfield.routing.endings import with_errors as with_errors
from jackfield.routing.explained import Considered as Considered
from jackfield.routing.explained import RouteExplanation as RouteExplanation
from jackfield.routing.kinds import Balance as Balance
from jackfield.routing.kinds import Fallback as Fallback
from jackfield.routing.kinds import Keys as Keys
from jackfield.routing.route import Route as Route
from jackfield.routing.route import RouteConfig as RouteConfig
from jackfield.routing.strategies import STRATEGIES as STRATEGIES
from jackfield.routing.strategies import Strategy as Strategy
from jackfield.routing.strategies import make_strategy as make_strategy
from jackfield.routing.targets import Candidate as Candidate
from jackfield.routing.targets import RouteTarget as RouteTarget
from jackfield.routing.verdicts import Verdict as Verdict
from jackfield.routing.verdicts import judge as judge
__all__ = ['Balance', 'Candidate', 'Considered', 'Fallback', 'Keys', 'Route', 'RouteConfig', 'RouteExplanation', 'RouteTarget', 'STRATEGIES', 'Strategy', 'StreamFailed', 'Verdict', 'judge', 'make_strategy', 'with_errors']
