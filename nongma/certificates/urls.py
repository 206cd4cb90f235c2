from django.urls import path, re_path

from nongma.certificates import views

app_name = "certificates"

urlpatterns = [
    path("", views.certificates, name="list"),
    path("labels.pdf", views.chosen_labels, name="labels"),
    path("issue/<str:code>", views.issue, name="issue"),
    path("<str:code>", views.certificate, name="certificate"),
    path("<str:code>/show", views.show, name="show"),
    path("<str:code>/revoke", views.revoke, name="revoke"),
    re_path(r"^(?P<code>\d{20})/label\.(?P<form>pdf|svg|zpl)$", views.label, name="label"),
]
