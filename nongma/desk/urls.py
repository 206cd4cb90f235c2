from django.urls import path

from nongma.desk import views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("operators/<str:code>/holdings", views.holdings, name="holdings"),
    path("code", views.code, name="code"),
    path("help/", views.help_index, name="help"),
    path("help/images/<str:name>", views.manual_image, name="manual-image"),
    path("help/<slug:name>", views.manual, name="manual"),
]
