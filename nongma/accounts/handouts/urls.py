from django.urls import path

from nongma.accounts.handouts import views

urlpatterns = [
    path("accounts/handouts", views.handouts, name="handouts"),
    path("accounts/handouts/new", views.upload, name="hand-out"),
    path("accounts/handouts/template.xlsx", views.template, name="handout-template"),
    path("accounts/handouts/<uuid:uid>", views.handout, name="handout"),
    path("accounts/handouts/<uuid:uid>/progress", views.progress, name="handout-progress"),
    path("accounts/handouts/<uuid:uid>/faults.xlsx", views.faults, name="handout-faults"),
    path("accounts/handouts/<uuid:uid>/slips", views.slips, name="handout-slips"),
    path("accounts/handouts/<uuid:uid>/clear", views.clear, name="clear-slips"),
]
