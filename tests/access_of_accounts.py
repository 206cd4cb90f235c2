"""The part of the access table about accounts: agencies, people, hand-outs, third parties, contacts, rollout.

The people are those of `tests.test_access_table`, with administrators of 崖州区, of its township, of its 监测 agency
and of 莲都区, and the collector of a third party. `agency`, `person` (Zhao), `post` and `firm` are the county's;
`station`, `collector` (Wang) and `station_post` the township's; `training` the province's, `handout` the county's.
"""

KEEPERS = (
    "nobody", "hainan", "county", "town", "lab", "elsewhere",
    "zhao", "sun", "wang", "third", "analyst", "qian", "officer", "brand", "li",
)  # fmt: skip
ACCOUNTS = """
GET  /accounts/handouts                                       in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
GET  /accounts/handouts/new                                   in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
GET  /accounts/handouts/template.xlsx                         in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
GET  /accounts/handouts/{handout}                             in 404 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/handouts/{handout}/progress                    in 404 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/handouts/{handout}/faults.xlsx                 in 404  ok 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/handouts/{handout}/slips                       in 404 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/handouts/{handout}/slips                       in 404  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/handouts/{handout}/clear                       in 404  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/handouts                                        401  ok  ok  ok  ok  ok 403 403 403 403 403 403 403 403 403
GET  /api/v1/handouts/{handout}                              401 404 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/third-parties                                 in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
GET  /accounts/third-parties/register                        in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
GET  /accounts/third-parties/{firm}                          in 200 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/third-parties/{firm}/change                   in 404 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/third-parties/{firm}/authorise                in 404 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/third-parties/{firm}/people                   in 404 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/third-parties/agreements/{held}               in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/third-parties/agreements/{held}/revoke        in 404 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/contacts                                      in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
POST /accounts/contacts/export                               in  ok  ok  ok  ok  ok 403 403 403 403 403 403 403 403 403
GET  /accounts/contacts/{agency}                             in 200 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/contacts/{agency}/reveal                      in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/contacts/{agency}/fill-in                     in 404 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/contacts/{agency}/report                      in 404  ok 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/rollout                                       in 200 200 200 302 200 403 403 403 403 403 403 403 403 403
POST /accounts/rollout/export                                in  ok  ok  ok 404  ok 403 403 403 403 403 403 403 403 403
GET  /accounts/rollout/target                                in 200 200 200 404 200 403 403 403 403 403 403 403 403 403
GET  /accounts/rollout/trainings                             in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
GET  /accounts/rollout/trainings/new                         in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
GET  /accounts/rollout/trainings/{training}                  in 200 404 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/rollout/trainings/{training}/people           in  ok 404 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/rollout/trainings/{training}/people/{agency}  in 404 404 404 404 404 403 403 403 403 403 403 403 403 403
GET  /api/v1/contacts                                       401 200 200 200 200 200 403 403 403 403 403 403 403 403 403
GET  /api/v1/rollout                                        401 200 200 200 404 200 403 403 403 403 403 403 403 403 403
GET  /accounts/agencies                                      in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
POST /accounts/agencies/export                               in  ok  ok  ok  ok  ok 403 403 403 403 403 403 403 403 403
GET  /accounts/agencies/new                                  in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
GET  /accounts/agencies/{agency}                             in 200 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/agencies/{station}                            in 200 200 200 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/agencies/{agency}/change                      in 200 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/agencies/{agency}/change                      in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/agencies/{agency}/suspend                     in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/agencies/{agency}/restore                     in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/agencies/{agency}/people/new                  in 200 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/agencies/{agency}/people/new                  in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/agencies/{agency}/appoint                     in 200 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/agencies/{agency}/appoint                     in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/agencies/{station}/suspend                    in  ok  ok  ok 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/agencies/{station}/people/new                 in 200 200 200 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/people                                        in 200 200 200 200 200 403 403 403 403 403 403 403 403 403
POST /accounts/people/export                                 in  ok  ok  ok  ok  ok 403 403 403 403 403 403 403 403 403
GET  /accounts/people/{person}                               in 200 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/people/{collector}                            in 200 200 200 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/people/{person}/change                        in 200 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/people/{person}/change                        in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/people/{person}/suspend                       in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/people/{person}/restore                       in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/people/{person}/close                         in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/people/{person}/password                      in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/people/{person}/slip                          in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/people/{person}/code                          in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/people/{collector}/suspend                    in  ok  ok  ok 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/people/{collector}/password                   in  ok  ok  ok 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/posts/{post}/end                              in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
GET  /accounts/posts/{post}/hand-over                        in 200 200 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/posts/{post}/hand-over                        in  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /accounts/posts/{station_post}/end                      in  ok  ok  ok 404 404 403 403 403 403 403 403 403 403 403
GET  /api/v1/agencies                                       401 200 200 200 200 200 403 403 403 403 403 403 403 403 403
POST /api/v1/agencies                                       401  ok  ok  ok  ok  ok 403 403 403 403 403 403 403 403 403
GET  /api/v1/agencies/{agency}                              401 200 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /api/v1/agencies/{station}                             401 200 200 200 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/agencies/{agency}/suspend                      401  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/agencies/{agency}/restore                      401  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/agencies/{station}/suspend                     401  ok  ok  ok 404 404 403 403 403 403 403 403 403 403 403
GET  /api/v1/people                                         401 200 200 200 200 200 403 403 403 403 403 403 403 403 403
POST /api/v1/people                                         401  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
GET  /api/v1/people/{person}                                401 200 200 404 404 404 403 403 403 403 403 403 403 403 403
GET  /api/v1/people/{collector}                             401 200 200 200 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/people/{person}/suspend                        401  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/people/{person}/restore                        401  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/people/{person}/close                          401  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/people/{person}/posts                          401  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/people/{collector}/suspend                     401  ok  ok  ok 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/posts/{post}/end                               401  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/posts/{post}/hand-over                         401  ok  ok 404 404 404 403 403 403 403 403 403 403 403 403
POST /api/v1/posts/{station_post}/end                       401  ok  ok  ok 404 404 403 403 403 403 403 403 403 403 403
"""
