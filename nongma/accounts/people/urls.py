from django.urls import path

from nongma.accounts.people import views

urlpatterns = [
    path("accounts/people", views.people, name="people"),
    path("accounts/people/export", views.export, name="export-people"),
    path("accounts/people/<uuid:uid>", views.person, name="person"),
    path("accounts/people/<uuid:uid>/change", views.change, name="change-person"),
    path("accounts/people/<uuid:uid>/suspend", views.suspend, name="suspend-person"),
    path("accounts/people/<uuid:uid>/restore", views.restore, name="restore-person"),
    path("accounts/people/<uuid:uid>/close", views.close, name="close-person"),
    path("accounts/people/<uuid:uid>/password", views.new_password, name="reset-password"),
    path("accounts/people/<uuid:uid>/slip", views.slip, name="print-slip"),
    path("accounts/people/<uuid:uid>/code", views.remove_code, name="remove-code"),
    path("accounts/posts/<uuid:uid>/end", views.end_post, name="end-post"),
    path("accounts/posts/<uuid:uid>/hand-over", views.hand_post_over, name="hand-over"),
]
