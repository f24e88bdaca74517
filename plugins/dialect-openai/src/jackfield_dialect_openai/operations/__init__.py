"""The operations beside chat of servers that speak the dialect; each vendor takes those it has.

A vendor's ``exchanges`` are ``{**EXCHANGES, **IMAGES, **FILES}`` and so on.
"""

from __future__ import annotations

from jackfield.http import Exchanges

from .audio import SPEECH, TRANSCRIPTION
from .batches import BATCHES
from .completions import COMPLETIONS
from .files import FILES
from .finetuning import FINE_TUNING
from .images import IMAGES
from .moderation import MODERATION
from .rerank import RERANK

EVERYTHING: Exchanges = {
    **BATCHES,
    **COMPLETIONS,
    **FILES,
    **FINE_TUNING,
    **IMAGES,
    **MODERATION,
    **RERANK,
    **SPEECH,
    **TRANSCRIPTION,
}

__all__ = [
    "BATCHES",
    "COMPLETIONS",
    "EVERYTHING",
    "FILES",
    "FINE_TUNING",
    "IMAGES",
    "MODERATION",
    "RERANK",
    "SPEECH",
    "TRANSCRIPTION",
]
