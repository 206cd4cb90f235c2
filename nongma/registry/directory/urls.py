from django.urls import path

from nongma.registry.directory import views

urlpatterns = [
    path("directory/", views.figures, name="directory"),
    path("directory/list", views.entries, name="directory-list"),
    path("directory/export", views.export, name="directory-export"),
    path("directory/visits.pdf", views.visits, name="directory-visits"),
    path("directory/expected", views.expected, name="directory-expected"),
    path("directory/expected/add", views.add_expected, name="directory-expect"),
    path("directory/expected/<uuid:uid>/strike", views.strike, name="directory-strike"),
    path("directory/rules", views.rules, name="directory-rules"),
    path("directory/rules/add", views.add_rule, name="directory-rule"),
    path("directory/rules/<uuid:uid>/end", views.end, name="directory-rule-end"),
    path("directory/terms", views.terms, name="directory-terms"),
]
