from django.urls import path

from nongma.accounts.agencies import views

urlpatterns = [
    path("accounts/agencies", views.agencies, name="agencies"),
    path("accounts/agencies/export", views.export, name="export-agencies"),
    path("accounts/agencies/new", views.create, name="create-agency"),
    path("accounts/agencies/<uuid:uid>", views.agency, name="agency"),
    path("accounts/agencies/<uuid:uid>/change", views.change, name="change-agency"),
    path("accounts/agencies/<uuid:uid>/suspend", views.suspend, name="suspend-agency"),
    path("accounts/agencies/<uuid:uid>/restore", views.restore, name="restore-agency"),
    path("accounts/agencies/<uuid:uid>/people/new", views.enter_person, name="enter-person"),
    path("accounts/agencies/<uuid:uid>/appoint", views.appoint_person, name="appoint-person"),
]
