from django.urls import path

from nongma.registry.claiming import views as claiming
from nongma.registry.people import views as people
from nongma.registry.self_registration import views

app_name = "join"
urlpatterns = [
    path("", views.start, name="start"),
    path("code", views.code, name="code"),
    path("prove", views.prove, name="prove"),
    path("privacy", views.privacy, name="privacy"),
    path("claims", claiming.offers, name="claims"),
    path("claims/<str:code>", claiming.claim, name="claim"),
    path("invitations", people.invitations, name="invitations"),
    path("invitations/<uuid:uid>/accept", people.accept, name="accept-invitation"),
    path("invitations/<uuid:uid>/decline", people.decline, name="decline-invitation"),
    path("register", views.register, name="register"),
    path("draft", views.draft, name="draft"),
    path("place", views.place, name="place"),
    path("done", views.done, name="done"),
]
