"""Labels of certificates (合格证标签): what stands on one, and the forms it is printed in."""

from nongma.certificates.labels.content import Label, labels_of
from nongma.certificates.labels.layout import SIZES, Size, size_named
from nongma.certificates.labels.printing import MOST_LABELS, pdf, svg
from nongma.certificates.labels.zpl import zpl

__all__ = ["MOST_LABELS", "SIZES", "Label", "Size", "labels_of", "pdf", "size_named", "svg", "zpl"]
