from django.urls import path

from nongma.registry.people import views

urlpatterns = [
    path("<str:code>/people", views.people, name="people"),
    path("<str:code>/people/invitations/<uuid:uid>/withdraw", views.withdraw, name="withdraw-invitation"),
    path("<str:code>/people/<uuid:uid>/end", views.end, name="end-member"),
    path("<str:code>/people/<uuid:uid>/hand-on", views.hand_on, name="hand-on"),
]
