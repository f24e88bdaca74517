"""What is public of jackfield.testing; `nox -s api -- --accept` writes it."""
from jackfield.testing.answers import Answer as Answer
from jackfield.testing.conformance import ProviderConformance as ProviderConformance
from jackfield.testing.recordings import Recording as Recording
from jackfield.testing.recordings import load_recordings as load_recordings
from jackfield.testing.repro import Seen as Seen
from jackfield.testing.repro import play as play
from jackfield.testing.repro import record as record
from jackfield.testing.scripted import ScriptedProvider as ScriptedProvider
from jackfield.testing.tapes import Tape as Tape
__all__ = ['Answer', 'ProviderConformance', 'Recording', 'ScriptedProvider', 'Seen', 'Tape', 'load_recordings', 'play', 'record']
