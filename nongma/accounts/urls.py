from django.urls import path

from nongma.accounts import views

app_name = "accounts"
urlpatterns = [
    path("signin", views.sign_in, name="sign-in"),
    path("signin/code", views.sign_in_code, name="sign-in-code"),
    path("signout", views.sign_out, name="sign-out"),
    path("me", views.account, name="account"),
    path("me/password", views.password, name="password"),
    path("me/code", views.code, name="code"),
    path("me/code/start", views.start_code, name="start-code"),
]
