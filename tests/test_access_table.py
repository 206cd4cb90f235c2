"""Who gets what answer where: every address says what access it needs, a table of role × address holds it to that."""

from collections import defaultdict

import pytest
from django.urls import get_resolver

from config.api import api
from nongma.accounts.access import Action
from tests.access_of_accounts import ACCOUNTS, KEEPERS
from tests.access_world import REFUSED, World, addresses, answer

# What describes the API itself: no record is behind it.
OPEN_BY_NATURE = {"api-1:openapi-json", "api-1:openapi-view", "api-1:api-root"}
# Signing in and out, held by their own tests; pictures of the manual and jobs that need a file of their own.
SHOWN_ELSEWHERE = {
    "accounts:sign-in-code",
    "accounts:sign-out",
    "api-1:token",
    "desk:manual-image",
    "origins:review-job",
}


def test_every_page_says_what_access_it_needs() -> None:
    silent = [
        where
        for where, name, view in addresses(get_resolver().url_patterns)
        if not name.startswith("api-1:") and not isinstance(getattr(view, "requires", None), Action)
    ]
    assert silent == []


def test_every_operation_of_the_api_says_what_access_it_needs() -> None:
    operations = [
        (path, operation)
        for router in api._get_bound_routers()
        for path, view in router.path_operations.items()
        for operation in view.operations
    ]
    assert len(operations) > 30
    for path, operation in operations:
        action = getattr(operation.view_func, "requires", None)
        assert isinstance(action, Action), path
        assert bool(operation.auth_callbacks) is (action != Action.PUBLIC), path


def test_the_api_has_no_address_beside_its_operations() -> None:
    known = {
        operation.url_name if hasattr(operation, "url_name") else api.get_operation_url_name(operation, router.template)
        for router in api._get_bound_routers()
        for view in router.path_operations.values()
        for operation in view.operations
    }
    named = {name for _, name, _ in addresses(get_resolver().url_patterns) if name.startswith("api-1:")}
    assert {name.removeprefix("api-1:") for name in named - OPEN_BY_NATURE} == known


# The people: one of each role in 崖州区 or above it, Li who grows there, and two of 莲都区 (Sun reviews, Chen grows).
# The records are Li's, in a village of 崖州区. `in` is the way to sign in, `ok` any answer of the work itself.
PEOPLE = ("nobody", "hainan", "zhao", "wang", "analyst", "qian", "officer", "brand", "li", "sun", "chen")
TABLE = """
GET  /signin                                      200 302 302 302 302 302 302 302 302 302 302
GET  /                                             in 200 200 200 200 200 200 200 200 200 200
GET  /code?code={certificate}                     302 302 302 302 302 302 302 302 302 302 302
GET  /favicon.ico                                 302 302 302 302 302 302 302 302 302 302 302
GET  /help/                                       200 200 200 200 200 200 200 200 200 200 200
GET  /help/roles                                  200 200 200 200 200 200 200 200 200 200 200
GET  /me                                           in 200 200 200 200 200 200 200 200 200 200
GET  /me/password                                  in 200 200 200 200 200 200 200 200 200 200
GET  /me/confirm                                   in 200 200 200 200 200 200 200 200 200 200
GET  /me/code                                      in 200 200 200 200 200 200 200 200 200 200
POST /me/code/start                                in  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
GET  /me/code/stop                                 in 302 302 302 302 302 302 302 302 302 302
GET  /me/recovery                                  in 200 200 302 302 302 302 302 302 200 302
GET  /me/sessions                                  in 200 200 200 200 200 200 200 200 200 200
POST /me/sessions/end                              in  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
POST /me/sessions/end-all                          in  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
GET  /me/signins                                   in 200 200 200 200 200 200 200 200 200 200
GET  /audit/                                       in 200 403 403 403 403 403 403 403 403 403
POST /audit/export                                 in  ok 403 403 403 403 403 403 403 403 403
GET  /audit/check                                  in 200 403 403 403 403 403 403 403 403 403
POST /audit/check                                  in 403 403 403 403 403 403 403 403 403 403
GET  /audit/check/progress                         in 200 403 403 403 403 403 403 403 403 403
GET  /notices/                                     in 200 200 200 200 200 200 200 200 200 200
POST /notices/read                                 in  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
GET  /notices/settings                             in 200 200 200 200 200 200 200 200 200 200
POST /notices/settings/contact                      in  ok  ok  ok  ok  ok  ok  ok  ok  ok  ok
GET  /notices/sent                                 in 200 403 403 403 403 403 403 403 403 403
POST /notices/sent/{outgoing}/again                in  ok 403 403 403 403 403 403 403 403 403
POST /notices/{notice}/open                        in 404 404  ok 404 404 404 404 404 404 404
POST /notices/{notice}/read                        in 404 404  ok 404 404 404 404 404 404 404
GET  /regions/search?q=yz                          in 200 200 200 200 200 200 200 200 200 200
GET  /regions/children                             in 200 200 200 200 200 200 200 200 200 200
GET  /regions/boundaries/provinces.geojson        200 200 200 200 200 200 200 200 200 200 200
GET  /catalogue/                                   in 200 200 200 200 200 200 200 200 200 200
GET  /catalogue/bans                               in 200 200 200 200 200 200 200 200 200 200
GET  /catalogue/county                             in 403 200 403 403 403 403 403 403 200 403
GET  /catalogue/county/add                         in 403 200 403 403 403 403 403 403 200 403
GET  /catalogue/county/{local}                     in 403 200 403 403 403 403 403 403 404 403
POST /catalogue/county/{local}/end                 in 403  ok 403 403 403 403 403 403 404 403
GET  /operators/                                   in 200 200 200 200 200 200 200 302 200 302
POST /operators/export                             in  ok  ok 403  ok 403 403 403 403  ok 403
GET  /operators/register                           in 200 200 200 403 403 403 403 200 200 200
GET  /operators/directory/                         in 200 200 200 200 403 200 403 403 200 403
GET  /operators/directory/?region=460205           in 200 200 404 200 403 200 403 403 404 403
GET  /operators/directory/list                     in 200 200 200 200 403 200 403 403 200 403
POST /operators/directory/export                   in  ok  ok 403  ok 403 403 403 403  ok 403
POST /operators/directory/visits.pdf               in  ok  ok 403  ok 403 403 403 403  ok 403
GET  /operators/directory/expected                 in 200 200 200 200 403 200 403 403 200 403
GET  /operators/directory/expected/add             in 403 200 403 403 403 403 403 403 200 403
POST /operators/directory/expected/{expected}/strike in 403 ok 403 403 403 403 403 403 404 403
GET  /operators/directory/notices                  in 200 200 200 200 200 200 200 200 200 200
POST /operators/directory/notices/export           in  ok  ok 403  ok 403 403 403 403  ok 403
GET  /operators/directory/notices/send             in 403 200 403 403 403 403 403 403 200 403
GET  /operators/directory/notices/send?region=460205 in 403 200 403 403 403 403 403 403 404 403
GET  /operators/directory/notices/sendings/{sending} in 403 200 403 403 403 403 403 403 404 403
GET  /operators/{operator}/notices/send            in 403 200 403 403 403 403 403 403 404 403
GET  /operators/{operator}/notices/{correction}/   in 200 200 200 200 200 200 200 200 404 404
POST /operators/{operator}/notices/{correction}/answer   in ok ok ok 403 403 403 403 ok 404 404
POST /operators/{operator}/notices/{correction}/letter   in 403 ok 403 403 403 403 403 403 404 403
POST /operators/{operator}/notices/{correction}/withdraw in 403 ok 403 403 403 403 403 403 404 403
POST /operators/{operator}/confirm                 in  ok  ok  ok 403 403 403 403  ok 404 404
GET  /operators/directory/rules                    in 200 200 200 200 403 200 403 403 200 403
POST /operators/directory/rules/add                in 403  ok 403 403 403 403 403 403  ok 403
POST /operators/directory/rules/{rule}/end         in 403  ok 403 403 403 403 403 403 404 403
POST /operators/directory/terms                    in 403  ok 403 403 403 403 403 403  ok 403
GET  /operators/intake                             in 200 200 200 403 403 403 403 403 200 403
GET  /operators/intake/template.xlsx               in 200 200 200 403 403 403 403 403 200 403
GET  /operators/intake/{intake}                    in 404 200 404 403 403 403 403 403 404 403
GET  /operators/intake/{intake}/progress           in 404 200 404 403 403 403 403 403 404 403
POST /operators/intake/{intake}/confirm            in 404  ok 404 403 403 403 403 403 404 403
POST /operators/intake/{intake}/drop               in 404  ok 404 403 403 403 403 403 404 403
POST /operators/intake/{intake}/undo               in 404  ok 404 403 403 403 403 403 404 403
POST /operators/intake/{intake}/errors.xlsx        in 404  ok 404 403 403 403 403 403 404 403
GET  /operators/intake/{intake}/operators          in 404 200 404 403 403 403 403 403 404 403
POST /api/v1/operators/imports                    401  ok  ok  ok 403 403 403 403 403  ok 403
GET  /api/v1/operators/imports/{intake}           401 404 200 404 403 403 403 403 403 404 403
GET  /api/v1/operators/imports/{intake}/errors.xlsx 401 404 409 404 403 403 403 403 403 404 403
GET  /operators/{operator}/                        in 200 200 200 200 200 200 200 200 404 404
GET  /operators/{operator}/change                  in 200 200 200 403 403 403 403 200 404 404
POST /operators/{operator}/contact                 in 403  ok  ok 403 403  ok 403 403 404 403
POST /operators/{operator}/approve                 in 403  ok 403 403 403 403 403 403 404 403
POST /operators/{operator}/return                  in 403  ok 403 403 403 403 403 403 404 403
GET  /operators/review/                            in 403 200 403 403 403 403 403 403 200 403
GET  /operators/review/changes                     in 403 200 403 403 403 403 403 403 200 403
GET  /operators/review/claims                      in 403 200 403 403 403 403 403 403 200 403
GET  /operators/{operator}/claims/{claim}/         in 403 200 403 403 403 403 403 403 404 403
POST /operators/{operator}/claims/{claim}/approve  in 403  ok 403 403 403 403 403 403 404 403
POST /operators/{operator}/claims/{claim}/return   in 403  ok 403 403 403 403 403 403 404 403
GET  /operators/{operator}/declared                in 200 200 200 403 403 403 403 200 404 404
POST /operators/{operator}/declared                in  ok  ok  ok 403 403 403 403  ok 404 404
POST /operators/{operator}/licences/{licence}      in  ok  ok  ok  ok  ok  ok  ok  ok 404 404
GET  /operators/{operator}/people                  in 200 200 200 403 403 403 403 200 404 404
POST /operators/{operator}/people/invitations/{invitation}/withdraw in ok ok ok 403 403 403 403 ok 404 404
POST /operators/{operator}/people/{member}/end     in  ok  ok  ok 403 403 403 403  ok 404 404
POST /operators/{operator}/people/{member}/hand-on in  ok  ok  ok 403 403 403 403  ok 404 404
GET  /operators/{operator}/compare                 in 403 200 403 403 403 403 403 403 404 403
POST /operators/{operator}/merge                   in 403 404 403 403 403 403 403 403 404 403
POST /operators/{operator}/suspend                 in 403  ok 403 403 403 403 403 403 404 403
POST /operators/{operator}/cancel                  in 403  ok 403 403 403 403 403 403 404 403
POST /operators/{operator}/restore                 in 403  ok 403 403 403 403 403 403 404 403
GET  /operators/{operator}/changes/{revision}/     in 200 200 200 200 200 200 200 200 404 404
POST /operators/{operator}/changes/{revision}/approve  in 403 ok 403 403 403 403 403 403 404 403
POST /operators/{operator}/changes/{revision}/return   in 403 ok 403 403 403 403 403 403 404 403
POST /operators/{operator}/changes/{revision}/withdraw in ok ok ok 403 403 403 403 ok 404 404
POST /operators/{operator}/holdings                in  ok  ok  ok  ok  ok  ok  ok  ok 404 404
GET  /operators/{operator}/certifications/add      in 200 200 200 403 403 403 403 200 404 404
GET  /operators/{operator}/certifications/{certification}/change   in 200 200 200 403 403 403 403 200 404 404
POST /operators/{operator}/certifications/{certification}/withdraw in  ok  ok  ok 403 403 403 403  ok 404 404
POST /operators/{operator}/certifications/{certification}/confirm  in 403  ok 403 403 403 403 403 403 404 403
POST /operators/{operator}/certifications/{certification}/file     in  ok  ok  ok  ok  ok  ok  ok  ok 404 404
GET  /operators/{operator}/identity/card.png       in 200 200 200 200 200 200 200 200 404 404
GET  /operators/{operator}/bases                   in 200 200 200 403 403 403 403 200 404 404
POST /operators/{operator}/bases/export            in  ok  ok  ok  ok  ok  ok  ok  ok 404 404
GET  /operators/{operator}/bases/{base}/           in 200 200 200 200 200 200 200 200 404 404
GET  /operators/{operator}/bases/{base}/change     in 200 200 200 403 403 403 403 200 404 404
POST /operators/{operator}/bases/{base}/close      in  ok  ok  ok 403 403 403 403  ok 404 404
POST /operators/{operator}/bases/{base}/reopen     in  ok  ok  ok 403 403 403 403  ok 404 404
GET  /operators/{operator}/bases/{base}/board/a4.pdf   in 200 200 200 200 200 200 200 200 404 404
GET  /operators/{operator}/bases/{base}/plots/add  in 200 200 200 403 403 403 403 200 404 404
GET  /operators/{operator}/bases/{base}/plots/{plot}/change in 200 200 200 403 403 403 403 200 404 404
POST /operators/{operator}/bases/{base}/plots/{plot}/close  in  ok  ok  ok 403 403 403 403  ok 404 404
GET  /join/                                       200 302 302 302 302 302 302 302 302 302 302
GET  /join/code                                   302 302 302 302 302 302 302 302 302 302 302
GET  /join/prove                                    in 302 302 302 302 302 302 302 302 302 302
GET  /join/privacy                                200 200 200 200 200 200 200 200 200 200 200
GET  /join/claims                                  in 302 302 302 403 403 403 403 302 302 302
GET  /join/claims/{operator}                       in 404 404 404 403 403 403 403 404 404 404
GET  /join/invitations                             in 200 200 200 403 403 403 403 200 200 200
POST /join/invitations/{invitation}/accept         in 404 404 404 403 403 403 403 404 404 404
POST /join/invitations/{invitation}/decline        in 404 404 404 403 403 403 403 404 404 404
GET  /join/register                                in 302 302 302 403 403 403 403 302 302 302
POST /join/draft                                   in  ok  ok  ok 403 403 403 403  ok  ok  ok
GET  /join/place?longitude=109.16&latitude=18.43   in 200 200 200 403 403 403 403 200 200 200
GET  /join/done                                    in 302 302 302 403 403 403 403 200 302 200
GET  /origins/                                     in 200 200 200 200 403 200 403 200 200 200
GET  /origins/map                                  in 200 200 200 200 403 200 403 200 200 200
GET  /origins/here?id={origin}                      in 200 200 200 200 403 200 403 200 200 200
POST /origins/export.csv                           in  ok  ok 403  ok 403 403 403 403  ok 403
POST /origins/paper/official                       in  ok  ok 403  ok 403 403 403 403  ok 403
POST /origins/paper/wall                           in  ok  ok 403  ok 403 403 403 403  ok 403
GET  /origins/missed                               in 200 200 200 200 403 200 403 403 200 403
POST /origins/missed/check                         in 403  ok 403 403 403 403 403 403  ok 403
POST /origins/missed/export                        in  ok  ok 403  ok 403 403 403 403  ok 403
POST /origins/missed/{missed}                      in 403  ok 403 403 403 403 403 403 404 403
POST /origins/decide                               in 403  ok 403 403 403 403 403 403  ok 403
GET  /origins/samples                              in 403 200 403 403 403 403 403 403 200 403
POST /origins/samples                              in 403  ok 403 403 403 403 403 403  ok 403
GET  /origins/samples/{sample}                     in 403 200 403 403 403 403 403 403 404 403
GET  /origins/samples/{sample}/{origin}            in 403 200 403 403 403 403 403 403 404 403
POST /origins/samples/{sample}/decide              in 403  ok 403 403 403 403 403 403 404 403
GET  /origins/doubts                               in 200 200 200 200 403 200 403 404 200 404
POST /origins/doubts/{doubt}/withdraw              in 403  ok 403 403 403 403 403 403 404 403
GET  /origins/dues/                                in 200 200 200 200 403 200 403 200 200 200
POST /origins/dues/export                         in  ok  ok 403  ok 403 403 403 403  ok 403
GET  /origins/dues/punctuality                     in 200 200 200 200 403 200 403 403 200 403
POST /origins/dues/punctuality/export              in  ok  ok 403  ok 403 403 403 403  ok 403
GET  /origins/dues/terms                           in 200 200 200 200 403 200 403 403 200 403
POST /origins/dues/{origin}/confirm                in  ok  ok  ok 403 403 403 403 403 404 403
POST /origins/dues/{origin}/end                    in  ok  ok  ok 403 403 403 403 403 404 403
POST /origins/dues/{origin}/resume                 in  ok  ok  ok 403 403 403 403 403 404 403
GET  /origins/import                               in 200 200 200 403 403 403 403 403 200 403
GET  /origins/import/template.xlsx                 in 200 200 200 403 403 403 403 403 200 403
GET  /origins/import/{job}                         in 404 404 200 403 403 403 403 403 404 403
GET  /origins/import/{job}/progress                in 404 404 200 403 403 403 403 403 404 403
POST /origins/import/{job}/errors.xlsx             in 404 404  ok 403 403 403 403 403 404 403
GET  /origins/collect                              in 200 200 200 403 403 403 403 200 200 200
POST /origins/collect/save                         in  ok  ok  ok 403 403 403 403  ok  ok  ok
GET  /origins/collect/operators?q=李大             in 200 200 200 403 403 403 403 200 200 200
GET  /origins/collect/village?region=460205198004  in 200 200 200 403 403 403 403 200 200 200
GET  /origins/drafts                               in 200 200 200 403 403 403 403 200 200 200
POST /origins/drafts/{draft}/discard               in 404 404  ok 403 403 403 403 404 404 404
GET  /origins/photos/{photo}                       in 409 409 409 409 403 409 403 409 404 404
POST /origins/photos/{photo}/remove                in  ok  ok  ok 403 403 403 403  ok 404 404
GET  /origins/{origin}/update                      in 200 200 200 403 403 403 403 200 404 404
POST /origins/{origin}/carry-over                  in  ok  ok  ok 403 403 403 403  ok 404 404
POST /origins/{origin}/photos                      in  ok  ok  ok 403 403 403 403  ok 404 404
GET  /origins/{origin}                             in 200 200 200 200 403 200 403 200 404 404
POST /origins/{origin}/phones                      in 403  ok  ok 403 403  ok 403 403 404 403
GET  /origins/{origin}/locate                      in 200 200 200 403 403 403 403 200 404 404
GET  /origins/{origin}/correct                     in 302 302 302 403 403 403 403 302 404 404
POST /origins/{origin}/return                      in 403  ok 403 403 403 403 403 403 404 403
POST /origins/{origin}/approve                     in 403  ok 403 403 403 403 403 403 404 403
GET  /tiles/origins/6/51/28.mvt                   401 200 200 200 200 403 200 403 200 200 200
GET  /lots/                                        in 200 200 403 200 200 200 403 200 200 200
GET  /lots/new                                     in 403 403 403 403 403 403 403 200 403 200
GET  /lots/{lot}                                   in 200 200 403 200 200 200 403 200 404 404
GET  /lots/{lot}/split                             in 403 403 403 403 403 403 403 200 403 404
GET  /lots/{lot}/mix                               in 403 403 403 403 403 403 403 200 403 404
GET  /lots/{lot}/transfer                          in 403 403 403 403 403 403 403 200 403 404
GET  /lots/{lot}/loss                              in 403 403 403 403 403 403 403 200 403 404
GET  /lots/{lot}/recall                            in 200 200 403 403 403 200 403 200 404 404
POST /lots/{lot}/freeze                            in  ok  ok 403 403 403  ok 403 404 404 404
POST /lots/{lot}/unfreeze                          in  ok  ok 403 403 403  ok 403 404 404 404
GET  /certificates/                                in 200 200 403 200 403 200 200 200 200 200
GET  /certificates/issue/{lot}                     in 403 403 403 403 403 403 403 200 403 404
GET  /certificates/{certificate}                   in 200 200 403 200 403 200 200 200 404 404
GET  /certificates/{certificate}/show              in 200 200 403 200 403 200 200 200 404 404
GET  /certificates/{certificate}/label.svg         in 200 200 403 200 403 200 200 200 404 404
POST /certificates/labels.pdf                      in  ok  ok 403  ok 403  ok  ok  ok  ok  ok
POST /certificates/{certificate}/revoke            in 403 403 403 403 403 403 403  ok 403 404
GET  /.well-known/nongma-keys.json                200 200 200 200 200 200 200 200 200 200 200
GET  /api/v1/me                                   401 200 200 200 200 200 200 200 200 200 200
GET  /api/v1/notices                              401 200 200 200 200 200 200 200 200 200 200
POST /api/v1/notices/{notice}/read                401 404 404  ok 404 404 404 404 404 404 404
GET  /api/v1/regions?q=yz                         401 200 200 200 200 200 200 200 200 200 200
GET  /api/v1/regions/460205000000                 401 200 200 200 200 200 200 200 200 200 200
GET  /api/v1/products                             401 200 200 200 200 200 200 200 200 200 200
GET  /api/v1/products/{product}                   401 200 200 200 200 200 200 200 200 200 200
GET  /api/v1/bans                                 401 200 200 200 200 200 200 200 200 200 200
GET  /api/v1/operators                            401 200 200 200 200 200 200 200 200 200 200
POST /api/v1/operators                            401  ok  ok  ok 403 403 403 403  ok  ok  ok
GET  /api/v1/operators/{operator}/declared        401 200 200 200 200 200 200 200 200 404 404
PUT  /api/v1/operators/{operator}/declared        401  ok  ok  ok 403 403 403 403  ok 404 404
GET  /api/v1/operators/{operator}                 401 200 200 200 200 200 200 200 200 404 404
POST /api/v1/operators/{operator}/approve         401 403  ok 403 403 403 403 403 403 404 403
POST /api/v1/operators/{operator}/return          401 403  ok 403 403 403 403 403 403 404 403
GET  /api/v1/operators/{operator}/bases           401 200 200 200 200 200 200 200 200 404 404
GET  /api/v1/directory/figures                    401 200 200 200 200 403 200 403 403 200 403
GET  /api/v1/directory                            401 200 200 200 200 403 200 403 403 200 403
POST /api/v1/operators/{operator}/notices         401 403  ok 403 403 403 403 403 403 404 403
POST /api/v1/operators/{operator}/notices/{correction}/answer 401 ok ok ok 403 403 403 403 ok 404 404
GET  /api/v1/operators/{operator}/people          401 200 200 200 403 403 403 403 200 404 404
GET  /api/v1/operators/{operator}/invitations     401 200 200 200 403 403 403 403 200 404 404
POST /api/v1/operators/{operator}/invitations     401  ok  ok  ok 403 403 403 403  ok 404 404
POST /api/v1/operators/{operator}/invitations/{invitation}/withdraw 401 ok ok ok 403 403 403 403 ok 404 404
POST /api/v1/operators/{operator}/people/{member}/end 401 ok ok ok 403 403 403 403  ok 404 404
POST /api/v1/operators/{operator}/people/{member}/hand-on 401 ok ok ok 403 403 403 403 ok 404 404
GET  /api/v1/claims                               401 403 200 403 403 403 403 403 403 200 403
POST /api/v1/operators/{operator}/claims/{claim}/approve 401 403 ok 403 403 403 403 403 403 404 403
POST /api/v1/operators/{operator}/claims/{claim}/return 401 403 ok 403 403 403 403 403 403 404 403
GET  /api/v1/operators/{operator}/certifications  401 200 200 200 200 200 200 200 200 404 404
POST /api/v1/operators/{operator}/certifications  401  ok  ok  ok 403 403 403 403  ok 404 404
POST /api/v1/operators/{operator}/bases           401  ok  ok  ok 403 403 403 403  ok 404 404
GET  /api/v1/operators/{operator}/bases/{base}    401 200 200 200 200 200 200 200 200 404 404
PATCH /api/v1/operators/{operator}/bases/{base}   401  ok  ok  ok 403 403 403 403  ok 404 404
POST /api/v1/operators/{operator}/bases/{base}/close 401 ok ok ok 403 403 403 403  ok 404 404
GET  /api/v1/operators/{operator}/bases/{base}/plots 401 200 200 200 200 200 200 200 200 404 404
POST /api/v1/operators/{operator}/bases/{base}/plots 401 ok ok ok 403 403 403 403  ok 404 404
PATCH /api/v1/operators/{operator}/bases/{base}/plots/{plot} 401 ok ok ok 403 403 403 403 ok 404 404
GET  /api/v1/origins                              401 200 200 200 200 403 200 403 200 200 200
POST /api/v1/origins/decide                       401 403  ok 403 403 403 403 403 403  ok 403
GET  /api/v1/origins/decisions/{job}              401 403 404 403 403 403 403 403 403 404 403
GET  /api/v1/origins/{origin}                     401 200 200 200 200 403 200 403 200 404 404
GET  /api/v1/origins/{origin}/doubts               401 200 200 200 200 403 200 403 200 404 404
POST /api/v1/origins/{origin}/approve             401 403  ok 403 403 403 403 403 403 404 403
POST /api/v1/origins/{origin}/return              401 403  ok 403 403 403 403 403 403 404 403
GET  /api/v1/origins/dues                         401 200 200 200 200 403 200 403 200 200 200
POST /api/v1/origins/{origin}/confirm              401  ok  ok  ok 403 403 403 403 403 404 403
POST /api/v1/origins/{origin}/end                  401  ok  ok  ok 403 403 403 403 403 404 403
POST /api/v1/origins/{origin}/resume               401  ok  ok  ok 403 403 403 403 403 404 403
POST /api/v1/origins/{origin}/locate              401  ok  ok  ok 403 403 403 403  ok 404 404
POST /api/v1/origins                              401  ok  ok  ok 403 403 403 403  ok  ok  ok
PUT  /api/v1/origins/{origin}                     401  ok  ok  ok 403 403 403 403  ok 404 404
POST /api/v1/origins/imports                      401  ok  ok  ok 403 403 403 403 403  ok 403
GET  /api/v1/origins/imports                      401 200 200 200 403 403 403 403 403 200 403
GET  /api/v1/origins/imports/{job}                401 404 404 200 403 403 403 403 403 404 403
GET  /api/v1/origins/imports/{job}/errors.xlsx    401 404 404 409 403 403 403 403 403 404 403
POST /api/v1/lots                                 401 403 403 403 403 403 403 403  ok 403  ok
GET  /api/v1/lots                                 401 200 200 403 200 200 200 403 200 200 200
GET  /api/v1/lots/{lot}                           401 200 200 403 200 200 200 403 200 404 404
POST /api/v1/lots/{lot}/split                     401 403 403 403 403 403 403 403  ok 403 404
POST /api/v1/lots/{lot}/mix                       401 403 403 403 403 403 403 403  ok 403  ok
POST /api/v1/lots/{lot}/transfer                  401 403 403 403 403 403 403 403  ok 403 404
POST /api/v1/lots/{lot}/loss                      401 403 403 403 403 403 403 403  ok 403 404
POST /api/v1/lots/{lot}/recall                    401  ok  ok 403 403 403  ok 403  ok 404 404
POST /api/v1/lots/{lot}/freeze                    401  ok  ok 403 403 403  ok 403 404 404 404
POST /api/v1/lots/{lot}/unfreeze                  401  ok  ok 403 403 403  ok 403 404 404 404
GET  /api/v1/lots/{lot}/trace                     401 200 200 403 200 200 200 403 200 404 404
POST /api/v1/certificates                         401 403 403 403 403 403 403 403  ok 403  ok
GET  /api/v1/certificates                         401 200 200 403 200 403 200 200 200 200 200
GET  /api/v1/certificates/{certificate}           401 200 200 403 200 403 200 200 200 404 404
POST /api/v1/certificates/{certificate}/revoke    401 403 403 403 403 403 403 403  ok 403 404
GET  /api/v1/certificates/{certificate}/label.svg 401 200 200 403 200 403 200 200 200 404 404
GET  /api/v1/certificates/{certificate}/label.pdf 401 200 200 403 200 403 200 200 200 404 404
GET  /api/v1/certificates/{certificate}/label.zpl 401 200 200 403 200 403 200 200 200 404 404
"""


def rows() -> list[tuple[str, str, dict[str, str]]]:
    """Method, address and what each of the people gets."""
    return [
        (method, address, dict(zip(people, given, strict=True)))
        for people, table in ((PEOPLE, TABLE), (KEEPERS, ACCOUNTS))
        for method, address, *given in map(str.split, table.strip().splitlines())
    ]


def room_of(address: str) -> str:
    parts = address.partition("?")[0].strip("/").split("/")
    return "/".join(parts[:3] if parts[0] == "api" else parts[:1]) or "home"


ROOMS = tuple(dict.fromkeys(room_of(address) for _, address, _ in rows()))


@pytest.mark.parametrize("room", ROOMS)
def test_it_answers_as_the_table_says(world: World, room: str) -> None:
    wrong = []
    for method, address, expected in rows():
        if room_of(address) != room:
            continue
        for person, wanted in expected.items():
            given, written = answer(world, person, method, address)
            if given != wanted:
                wrong.append(f"{method} {address}: {person} gets {given}, not {wanted}")
            if wanted in REFUSED and written:
                wrong.append(f"{method} {address}: {person} was refused, and yet {written} rows were written")
    assert wrong == []


@pytest.mark.parametrize("room", [room for room in ROOMS if not room.startswith("api/")])
def test_whoever_may_not_see_a_page_may_not_send_its_form(world: World, room: str) -> None:
    """The table asks for most pages by GET; the form on them goes to the same address."""
    wrong = []
    for method, address, expected in rows():
        if method != "GET" or room_of(address) != room:
            continue
        for person, wanted in expected.items():
            if wanted not in REFUSED:
                continue
            given, written = answer(world, person, "POST", address)
            if given not in {wanted, "405"} or written:
                wrong.append(f"POST {address}: {person} gets {given}, not {wanted}; {written} rows written")
    assert wrong == []


def test_it_notices_what_is_written(world: World) -> None:
    """The measure of the tests above: a change that is allowed does write."""
    given, written = answer(world, "zhao", "POST", "/api/v1/origins/{origin}/approve")
    assert given == "ok"
    assert written > 0


def test_the_table_knows_every_address() -> None:
    resolver = get_resolver()
    uid, code = "0190f000-0000-7000-8000-000000000000", "0" * 20
    example = defaultdict(lambda: uid, dict.fromkeys(("operator", "base", "lot", "certificate"), code))
    example["product"] = "P1"
    shown = {resolver.resolve(address.partition("?")[0].format_map(example)).route for _, address, _ in rows()}
    elsewhere = OPEN_BY_NATURE | SHOWN_ELSEWHERE
    assert {where for where, name, _ in addresses(resolver.url_patterns) if name not in elsewhere} - shown == set()
