from django.urls import include, path

from nongma.accounts import views

app_name = "accounts"
urlpatterns = [
    path("signin", views.sign_in, name="sign-in"),
    path("signin/code", views.sign_in_code, name="sign-in-code"),
    path("signout", views.sign_out, name="sign-out"),
    path("me", views.account, name="account"),
    path("me/password", views.password, name="password"),
    path("me/confirm", views.confirm, name="confirm"),
    path("me/code", views.code, name="code"),
    path("me/code/start", views.start_code, name="start-code"),
    path("me/code/stop", views.stop_code, name="stop-code"),
    path("me/recovery", views.recovery, name="recovery"),
    path("me/sessions", views.sessions, name="sessions"),
    path("me/sessions/end", views.end_one, name="end-session"),
    path("me/sessions/end-all", views.end_all, name="end-sessions"),
    path("me/signins", views.sign_ins, name="sign-ins"),
    path("", include("nongma.accounts.agencies.urls")),
    path("", include("nongma.accounts.people.urls")),
    path("", include("nongma.accounts.handouts.urls")),
    path("", include("nongma.accounts.third_parties.urls")),
    path("", include("nongma.accounts.contacts.urls")),
    path("", include("nongma.accounts.rollout.urls")),
]
