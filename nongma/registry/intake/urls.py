from django.urls import path

from nongma.registry.intake import views

urlpatterns = [
    path("intake", views.intakes, name="intakes"),
    path("intake/template.xlsx", views.template, name="intake-template"),
    path("intake/<uuid:uid>", views.intake, name="intake"),
    path("intake/<uuid:uid>/progress", views.progress, name="intake-progress"),
    path("intake/<uuid:uid>/confirm", views.confirm, name="intake-confirm"),
    path("intake/<uuid:uid>/drop", views.drop, name="intake-drop"),
    path("intake/<uuid:uid>/undo", views.undo, name="intake-undo"),
    path("intake/<uuid:uid>/errors.xlsx", views.errors, name="intake-errors"),
    path("intake/<uuid:uid>/operators", views.loaded, name="intake-operators"),
]
