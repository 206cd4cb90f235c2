from django.urls import URLPattern, URLResolver, include, path

from config.api import api

ROOMS = (
    ("", "nongma.accounts.urls"),
    ("notices/", "nongma.notices.urls"),
    ("audit/", "nongma.desk.log.urls"),
    ("regions/", "nongma.accounts.places.urls"),
    ("catalogue/", "nongma.catalogue.urls"),
    ("operators/", "nongma.registry.urls"),
    ("join/", "nongma.registry.self_registration.urls"),
    ("origins/", "nongma.origins.urls"),
    ("tiles/", "nongma.origins.tile_urls"),
    ("lots/", "nongma.tracing.urls"),
    ("certificates/", "nongma.certificates.urls"),
    (".well-known/", "nongma.certificates.key_urls"),
    ("", "nongma.desk.urls"),
)

urlpatterns: list[URLPattern | URLResolver] = [
    *(path(prefix, include(module)) for prefix, module in ROOMS),
    path("api/v1/", api.urls),
]

handler400 = "nongma.desk.errors.bad_request"
handler403 = "nongma.desk.errors.forbidden"
handler404 = "nongma.desk.errors.not_found"
handler500 = "nongma.desk.errors.server_error"
