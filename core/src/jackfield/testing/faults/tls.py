"""TLS for the fault server: an authority of its own, a right certificate and a wrong one."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .certificate import Key, certificate

RIGHT = ("127.0.0.1", "localhost")
WRONG = ("pelican.example",)


@dataclass(frozen=True)
class Trust:
    """The authority's certificate as PEM, and the contexts of the TLS listeners by name."""

    ca_pem: str
    contexts: dict[str, ssl.SSLContext]


@lru_cache(maxsize=1)
def trust() -> Trust:
    """The trust of this process: made once, kept nowhere."""
    ca, name = Key.new(), "Jackfield test authority"
    stranger = Key.new()
    makers = {
        "tls": (ca, name, RIGHT),
        "tls_wrong_name": (ca, name, WRONG),
        "tls_untrusted": (stranger, "Nobody's authority", RIGHT),
    }
    contexts = {origin: _context(*maker) for origin, maker in makers.items()}
    return Trust(certificate(name, ca, name, ca), contexts)


def _context(signer: Key, issuer: str, names: tuple[str, ...]) -> ssl.SSLContext:
    key = Key.new()
    pem = key.pem + certificate(names[0], key, issuer, signer, names=names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The ssl module reads a chain from a file only.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "chain.pem")
        path.touch(mode=0o600)
        path.write_text(pem)
        context.load_cert_chain(path)
    return context
