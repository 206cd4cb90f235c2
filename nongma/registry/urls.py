from django.urls import path

from nongma.registry import views
from nongma.registry.bases import urls as base_urls
from nongma.registry.certifications import urls as certification_urls
from nongma.registry.declaring import urls as declaring_urls
from nongma.registry.directory import urls as directory_urls
from nongma.registry.directory.corrections import urls as correction_urls
from nongma.registry.intake import urls as intake_urls
from nongma.registry.people import urls as people_urls
from nongma.registry.plates import urls as plate_urls
from nongma.registry.review import urls as review_urls

app_name = "registry"
urlpatterns = [
    *intake_urls.urlpatterns,
    *review_urls.urlpatterns,
    *directory_urls.urlpatterns,
    *correction_urls.urlpatterns,
    *certification_urls.urlpatterns,
    *plate_urls.urlpatterns,
    *base_urls.urlpatterns,
    *people_urls.urlpatterns,
    *declaring_urls.urlpatterns,
    path("", views.operators, name="operators"),
    path("export", views.export, name="export"),
    path("register", views.register, name="register"),
    path("<str:code>/", views.operator, name="operator"),
    path("<str:code>/change", views.change, name="change"),
    path("<str:code>/confirm", views.confirm, name="confirm"),
    path("<str:code>/contact", views.reveal, name="reveal"),
]
