from django.urls import path

from nongma.accounts.places import views

app_name = "regions"
urlpatterns = [
    path("search", views.find, name="search"),
    path("children", views.children, name="children"),
    path("boundaries/<slug:name>.geojson", views.boundaries, name="boundaries"),
]
