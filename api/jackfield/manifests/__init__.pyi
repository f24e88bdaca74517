"""What is public of jackfield.manifests; `nox -s api -- --accept` writes it."""
from jackfield.manifests.declared import misdeclared as misdeclared
from jackfield.manifests.entries import admitted as admitted
from jackfield.manifests.entries import distribution as distribution
from jackfield.manifests.entries import imported as imported
from jackfield.manifests.entries import unknown as unknown
from jackfield.manifests.guard import Guard as Guard
from jackfield.manifests.manifest import FILE as FILE
from jackfield.manifests.manifest import KINDS as KINDS
from jackfield.manifests.manifest import Manifest as Manifest
__all__ = ['FILE', 'Guard', 'KINDS', 'Manifest', 'admitted', 'distribution', 'imported', 'misdeclared', 'unknown']
