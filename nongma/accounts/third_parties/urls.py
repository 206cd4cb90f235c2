from django.urls import path

from nongma.accounts.third_parties import views

urlpatterns = [
    path("accounts/third-parties", views.third_parties, name="third-parties"),
    path("accounts/third-parties/register", views.register, name="register-third-party"),
    path("accounts/third-parties/agreements/<uuid:uid>", views.agreement, name="agreement"),
    path("accounts/third-parties/agreements/<uuid:uid>/revoke", views.take_back, name="revoke-authorisation"),
    path("accounts/third-parties/<uuid:uid>", views.third_party, name="third-party"),
    path("accounts/third-parties/<uuid:uid>/change", views.change, name="change-third-party"),
    path("accounts/third-parties/<uuid:uid>/authorise", views.authorisation, name="authorise-third-party"),
    path("accounts/third-parties/<uuid:uid>/people", views.collector, name="third-party-collector"),
]
