"""What a browser may load on our pages, and how it may be shown."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from nongma.desk import errors

TIANDITU = " https://*.tianditu.gov.cn" if settings.TIANDITU_KEY else ""
PAGES = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        # MapLibre positions its markers and controls through style attributes.
        "style-src 'self' 'unsafe-inline'",
        f"img-src 'self' data: blob:{TIANDITU}",
        "font-src 'self' data:",
        f"connect-src 'self'{TIANDITU}",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": PAGES,
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class HeadersMiddleware:
    """Send the security headers with every answer, and a readable page for a body that is too large."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 413 and not request.path.startswith("/api/"):
            response = errors.too_large(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
