from django.urls import path

from nongma.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.notices, name="list"),
    path("read", views.read_all, name="read-all"),
    path("settings", views.settings, name="settings"),
    path("settings/contact", views.contact, name="contact"),
    path("sent", views.sent, name="sent"),
    path("sent/<uuid:uid>/again", views.again, name="again"),
    path("<uuid:uid>/open", views.open_notice, name="open"),
    path("<uuid:uid>/read", views.read, name="read"),
]
