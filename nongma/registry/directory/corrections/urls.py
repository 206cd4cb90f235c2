from django.urls import path

from nongma.registry.directory.corrections import views, views_many

urlpatterns = [
    path("directory/notices", views.corrections, name="corrections"),
    path("directory/notices/export", views.export, name="corrections-export"),
    path("directory/notices/send", views_many.send, name="sending-new"),
    path("directory/notices/sendings/<uuid:uid>", views_many.sending, name="sending"),
    path("<str:code>/notices/send", views.send, name="correction-send"),
    path("<str:code>/notices/<uuid:uid>/", views.correction, name="correction"),
    path("<str:code>/notices/<uuid:uid>/answer", views.answer, name="correction-answer"),
    path("<str:code>/notices/<uuid:uid>/letter", views.letter, name="correction-letter"),
    path("<str:code>/notices/<uuid:uid>/<str:deed>", views.decide, name="correction-decide"),
]
