from django.urls import path

from nongma.catalogue import views

app_name = "catalogue"
urlpatterns = [
    path("", views.products, name="products"),
    path("bans", views.bans, name="bans"),
    path("county", views.county, name="county"),
    path("county/add", views.add, name="add-product"),
    path("county/<str:code>", views.change, name="change-product"),
    path("county/<str:code>/end", views.end, name="end-product"),
]
