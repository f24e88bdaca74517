"""Operations beside chat: embeddings, images, speech, files and batches."""

from __future__ import annotations

from jackfield.http import Exchanges

from .batches import BATCHES
from .embeddings import EMBEDDINGS
from .files import FILES
from .images import IMAGES
from .results import RESULTS
from .speech import SPEECH

OPERATIONS: Exchanges = {**EMBEDDINGS, **IMAGES, **SPEECH, **FILES, **BATCHES, **RESULTS}

__all__ = ["OPERATIONS"]
