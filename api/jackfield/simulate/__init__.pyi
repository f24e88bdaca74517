"""What is public of jackfield.simulate; `nox -s api -- --accept` writes it."""
from jackfield.simulate.backends import SimulatedProvider as SimulatedProvider
from jackfield.simulate.pages import to_html as to_html
from jackfield.simulate.policies import read_policy as read_policy
from jackfield.simulate.reports import Comparison as Comparison
from jackfield.simulate.reports import Report as Report
from jackfield.simulate.reports import compare_reports as compare_reports
from jackfield.simulate.run import run_simulation as run_simulation
from jackfield.simulate.scenario import Scenario as Scenario
from jackfield.simulate.scenario import load_scenario as load_scenario
from jackfield.simulate.scenario import read_scenario as read_scenario
from jackfield.simulate.traces import Call as Call
from jackfield.simulate.traces import Trace as Trace
from jackfield.simulate.traces import read_trace as read_trace
__all__ = ['Call', 'Comparison', 'Report', 'Scenario', 'SimulatedProvider', 'Trace', 'compare_reports', 'load_scenario', 'read_policy', 'read_scenario', 'read_trace', 'run_simulation', 'to_html']
