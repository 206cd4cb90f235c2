"""Setting documents with Typst, in our own font, from JSON."""

import json
import threading
from typing import Any

import typst
from django.conf import settings

# A compiler belongs to the thread that made it.
_own = threading.local()


def typeset(source: bytes, data: dict[str, Any], form: str = "pdf", **options: Any) -> bytes:
    """The document that the source makes of the data (`json(bytes(sys.inputs.data))`)."""
    made = _compiler().compile(
        input=source, format=form, sys_inputs={"data": json.dumps(data, ensure_ascii=False)}, **options
    )
    return bytes(made[0] if isinstance(made, list) else made)


def _compiler() -> Any:
    if not hasattr(_own, "compiler"):
        fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[settings.REFERENCE / "fonts"]
        )
        _own.compiler = typst.Compiler(font_paths=fonts)
    return _own.compiler
