from django.urls import path

from nongma.registry.certifications import views

urlpatterns = [
    path("<str:code>/certifications/add", views.add, name="certification-add"),
    path("<str:code>/certifications/<uuid:uid>/change", views.change, name="certification-change"),
    path("<str:code>/certifications/<uuid:uid>/withdraw", views.withdraw, name="certification-withdraw"),
    path("<str:code>/certifications/<uuid:uid>/confirm", views.confirm, name="certification-confirm"),
    path("<str:code>/certifications/<uuid:uid>/file", views.file, name="certification-file"),
]
