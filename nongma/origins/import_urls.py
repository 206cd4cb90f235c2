"""Addresses of the import pages, part of those of this room."""

from django.urls import path

from nongma.origins import views_imports as views

urlpatterns = [
    path("import", views.imports, name="imports"),
    path("import/template.xlsx", views.template, name="import-template"),
    path("import/<uuid:uid>", views.job, name="import-job"),
    path("import/<uuid:uid>/progress", views.progress, name="import-progress"),
    path("import/<uuid:uid>/errors.xlsx", views.errors, name="import-errors"),
]
