from django.urls import path

from nongma.registry.claiming import views as claiming
from nongma.registry.review import views

urlpatterns = [
    path("review/", views.queue, name="review"),
    path("review/changes", views.changes, name="review-changes"),
    path("review/claims", views.claims, name="review-claims"),
    path("<str:code>/claims/<uuid:uid>/", claiming.compare, name="claim"),
    path("<str:code>/claims/<uuid:uid>/approve", claiming.decide, {"decision": "approve"}, name="approve-claim"),
    path("<str:code>/claims/<uuid:uid>/return", claiming.decide, {"decision": "return"}, name="return-claim"),
    path("<str:code>/compare", views.compare, name="compare"),
    path("<str:code>/merge", views.merge, name="merge"),
    path("<str:code>/approve", views.approve, name="approve"),
    path("<str:code>/return", views.send_back, name="return"),
    *(path(f"<str:code>/{deed}", views.change_standing, {"deed": deed}, name=deed) for deed in views.STANDING),
    path("<str:code>/changes/<uuid:uid>/", views.revision, name="revision"),
    path("<str:code>/changes/<uuid:uid>/approve", views.decide, {"decision": "approve"}, name="approve-change"),
    path("<str:code>/changes/<uuid:uid>/return", views.decide, {"decision": "return"}, name="return-change"),
    path("<str:code>/changes/<uuid:uid>/withdraw", views.withdraw, name="withdraw"),
]
