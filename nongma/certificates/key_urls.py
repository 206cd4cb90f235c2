"""Where others look for our public keys; the place is fixed by RFC 8615."""

from django.urls import path

from nongma.certificates import views

app_name = "keys"

urlpatterns = [path("nongma-keys.json", views.keys, name="keys")]
