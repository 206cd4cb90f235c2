from django.urls import path

from nongma.registry.declaring import views

urlpatterns = [
    path("<str:code>/declared", views.declared, name="declared"),
    path("<str:code>/licences/<uuid:uid>", views.licence, name="licence"),
]
