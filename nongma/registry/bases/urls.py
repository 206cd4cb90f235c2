from django.urls import path

from nongma.registry.bases import views

ONE = "<str:code>/bases/<str:base_code>"

urlpatterns = [
    path("<str:code>/bases", views.register, name="base-add"),
    path("<str:code>/bases/export", views.export, name="bases-export"),
    path(f"{ONE}/", views.base, name="base"),
    path(f"{ONE}/change", views.change, name="base-change"),
    path(f"{ONE}/close", views.close, name="base-close"),
    path(f"{ONE}/reopen", views.reopen, name="base-reopen"),
    path(f"{ONE}/board/<str:sheet>.<str:form>", views.board, name="base-board"),
    path(f"{ONE}/plots/add", views.register_plot, name="plot-add"),
    path(f"{ONE}/plots/<uuid:uid>/change", views.change_one_plot, name="plot-change"),
    path(f"{ONE}/plots/<uuid:uid>/close", views.close_one_plot, name="plot-close"),
]
