from django.urls import path, re_path

from nongma.registry.review import views

urlpatterns = [
    path("review/", views.queue, name="review"),
    path("review/changes", views.changes, name="review-changes"),
    path("<str:code>/compare", views.compare, name="compare"),
    path("<str:code>/merge", views.merge, name="merge"),
    path("<str:code>/approve", views.approve, name="approve"),
    path("<str:code>/return", views.send_back, name="return"),
    re_path(r"^(?P<code>[^/]+)/(?P<deed>suspend|cancel|restore)$", views.change_standing, name="standing"),
    path("<str:code>/changes/<uuid:uid>/", views.revision, name="revision"),
    re_path(
        r"^(?P<code>[^/]+)/changes/(?P<uid>[0-9a-f-]{36})/(?P<decision>approve|return)$", views.decide, name="decide"
    ),
    path("<str:code>/changes/<uuid:uid>/withdraw", views.withdraw, name="withdraw"),
]
