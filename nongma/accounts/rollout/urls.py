from django.urls import path

from nongma.accounts.rollout import views

urlpatterns = [
    path("accounts/rollout", views.rollout, name="rollout"),
    path("accounts/rollout/export", views.export, name="export-rollout"),
    path("accounts/rollout/target", views.target, name="rollout-target"),
    path("accounts/rollout/trainings", views.trainings, name="trainings"),
    path("accounts/rollout/trainings/new", views.new_training, name="new-training"),
    path("accounts/rollout/trainings/<uuid:uid>", views.training, name="training"),
    path("accounts/rollout/trainings/<uuid:uid>/people", views.attend, name="attend-training"),
    path("accounts/rollout/trainings/<uuid:uid>/people/<uuid:person>", views.leave_out, name="leave-out"),
]
