from django.urls import path

from nongma.origins.due import views

urlpatterns = [
    path("dues/", views.calendar, name="dues"),
    path("dues/export", views.export, name="dues-export"),
    path("dues/punctuality", views.punctuality, name="punctuality"),
    path("dues/punctuality/export", views.export_punctuality, name="punctuality-export"),
    path("dues/terms", views.terms, name="collection-terms"),
    path("dues/<uuid:uid>/confirm", views.confirm, name="due-confirm"),
    path("dues/<uuid:uid>/end", views.end, name="due-end"),
    path("dues/<uuid:uid>/resume", views.resume, name="due-resume"),
]
