from django.urls import path

from nongma.desk.log import checks, views

app_name = "audit"
urlpatterns = [
    path("", views.log, name="log"),
    path("export", views.export, name="export"),
    path("check", checks.check, name="check"),
    path("check/progress", checks.progress, name="check-progress"),
]
