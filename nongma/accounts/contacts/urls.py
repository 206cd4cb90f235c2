from django.urls import path

from nongma.accounts.contacts import views

urlpatterns = [
    path("accounts/contacts", views.contacts, name="contacts"),
    path("accounts/contacts/export", views.export, name="export-contacts"),
    path("accounts/contacts/<uuid:uid>", views.contact, name="contact"),
    path("accounts/contacts/<uuid:uid>/reveal", views.reveal, name="reveal-contact"),
    path("accounts/contacts/<uuid:uid>/fill-in", views.fill_in, name="fill-in-contact"),
    path("accounts/contacts/<uuid:uid>/report", views.report, name="report-contact"),
]
