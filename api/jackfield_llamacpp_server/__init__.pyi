"""What is public of jackfield_llamacpp_server; `nox -s api -- --accept` writes it."""
from jackfield_llamacpp_server.config import LlamaServerConfig as LlamaServerConfig
from jackfield_llamacpp_server.provider import LlamaServerProvider as LlamaServerProvider
from jackfield_llamacpp_server.server import PropsRequest as PropsRequest
from jackfield_llamacpp_server.server import ServerProps as ServerProps
from jackfield_llamacpp_server.server import Slot as Slot
from jackfield_llamacpp_server.server import SlotRequest as SlotRequest
from jackfield_llamacpp_server.server import SlotsRequest as SlotsRequest
from jackfield_llamacpp_server.tokens import TemplateRequest as TemplateRequest
__all__ = ['LlamaServerConfig', 'LlamaServerProvider', 'PropsRequest', 'ServerProps', 'Slot', 'SlotRequest', 'SlotsRequest', 'TemplateRequest']
