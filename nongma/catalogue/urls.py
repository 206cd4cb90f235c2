from django.urls import path

from nongma.catalogue import views

app_name = "catalogue"
urlpatterns = [
    path("", views.products, name="products"),
    path("bans", views.bans, name="bans"),
]
