from django.urls import URLPattern, URLResolver, path, re_path

from nongma.origins import import_urls
from nongma.origins.collecting import views as collecting
from nongma.origins.doubts import views as doubts
from nongma.origins.due.urls import urlpatterns as dues
from nongma.origins.missed import views as missed
from nongma.origins.reviewing import views as sampling
from nongma.origins.views import map as maps
from nongma.origins.views import record, table

app_name = "origins"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", table.table, name="table"),
    re_path(r"^export\.(?P<form>xlsx|csv)$", table.export, name="export"),
    re_path(r"^paper/(?P<form>official|wall)$", table.paper, name="paper"),
    path("decide", table.decide, name="decide"),
    path("reviews/<uuid:uid>", table.review_job, name="review-job"),
    path("samples", sampling.samples, name="samples"),
    path("samples/<uuid:uid>", sampling.sample, name="sample"),
    path("samples/<uuid:uid>/decide", sampling.conclude, name="conclude"),
    path("samples/<uuid:uid>/<uuid:origin_uid>", sampling.look, name="look"),
    path("missed", missed.missed, name="missed"),
    path("missed/export", missed.export, name="missed-export"),
    path("missed/check", missed.check, name="missed-check"),
    path("missed/<uuid:uid>", missed.excuse, name="missed-excuse"),
    path("doubts", doubts.overview, name="doubts"),
    path("doubts/<uuid:uid>/withdraw", doubts.withdraw, name="doubt-withdraw"),
    *import_urls.urlpatterns,
    *dues,
    path("map", maps.chart, name="map"),
    path("here", maps.here, name="here"),
    path("collect", collecting.collect, name="collect"),
    path("collect/save", collecting.save, name="save-draft"),
    path("collect/operators", collecting.operators, name="find-operators"),
    path("collect/village", collecting.village, name="village"),
    path("drafts", collecting.drafts, name="drafts"),
    path("drafts/<uuid:uid>/discard", collecting.discard, name="discard-draft"),
    path("photos/<uuid:uid>", collecting.photo, name="photo"),
    path("photos/<uuid:uid>/remove", collecting.drop_photo, name="drop-photo"),
    path("<uuid:uid>", record.record, name="record"),
    path("<uuid:uid>/update", collecting.update, name="update"),
    path("<uuid:uid>/carry-over", collecting.carry, name="carry-over"),
    path("<uuid:uid>/photos", collecting.add_photos, name="add-photos"),
    path("<uuid:uid>/approve", record.approve, name="approve"),
    path("<uuid:uid>/return", record.send_back, name="return"),
    path("<uuid:uid>/locate", record.locate, name="locate"),
    path("<uuid:uid>/correct", record.correct, name="correct"),
    path("<uuid:uid>/phones", record.reveal, name="reveal"),
]
