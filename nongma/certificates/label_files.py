"""Labels as files: the choice of a person or a program, and the answer that carries the file."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from nongma.certificates import labels
from nongma.certificates.forms import LabelForm
from nongma.certificates.models import Certificate
from nongma.lib.refused import Refused


def label_file(certificate: Certificate, form: str, chosen: LabelForm) -> tuple[bytes, str]:
    """The label as a file and its media type. Refuses `not_valid`, `bad_option` and what the printing refuses."""
    (one,) = printable([certificate])
    options = options_of(chosen)
    if form == "pdf":
        return labels.pdf([one], **options), "application/pdf"
    if form == "svg":
        return labels.svg(one, options["size"], signed=options["signed"]), "image/svg+xml"
    return labels.zpl(one, options["size"], copies=options["copies"]).encode(), "text/plain; charset=utf-8"


def printable(certificates: Sequence[Certificate]) -> list[labels.Label]:
    """The labels of certificates that all hold. Refuses `not_valid`: a label on goods says that they may be sold."""
    for certificate in certificates:
        if certificate.state != Certificate.State.VALID:
            raise Refused("not_valid", f"合格证 {certificate.code} {certificate.state.label}，不能打印标签")
    return labels.labels_of(certificates)


def options_of(chosen: LabelForm) -> dict[str, Any]:
    """What was chosen, as `labels.pdf` takes it. Refuses `bad_option`."""
    if not chosen.is_valid():
        field, errors = next(iter(chosen.errors.items()))
        raise Refused("bad_option", f"{chosen.fields[field].label}：{errors[0]}", field=field)
    options = chosen.cleaned_data
    return {
        "size": labels.size_named(options["size"]),
        "copies": options["copies"],
        "sheet": options["sheet"] == "a4",
        "signed": options["signed"],
    }


def file_response(content: bytes, kind: str, name: str) -> HttpResponse:
    """A file that a browser shows and, if asked to save it, names."""
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=False, filename=name) or "inline"
    response.headers["Cache-Control"] = "private, no-store"
    return response
