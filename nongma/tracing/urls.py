from django.urls import path

from nongma.tracing import views

app_name = "tracing"

urlpatterns = [
    path("", views.lots, name="lots"),
    path("new", views.harvest, name="harvest"),
    path("<str:code>", views.lot, name="lot"),
    path("<str:code>/split", views.split, name="split"),
    path("<str:code>/mix", views.mix, name="mix"),
    path("<str:code>/transfer", views.transfer, name="transfer"),
    path("<str:code>/loss", views.loss, name="loss"),
    path("<str:code>/recall", views.recall, name="recall"),
    path("<str:code>/freeze", views.freeze, name="freeze"),
    path("<str:code>/unfreeze", views.unfreeze, name="unfreeze"),
]
