from django.urls import path

from nongma.desk.log import views

app_name = "audit"
urlpatterns = [
    path("", views.log, name="log"),
    path("export", views.export, name="export"),
]
