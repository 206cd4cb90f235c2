from django.apps import AppConfig


class CodesConfig(AppConfig):
    name = "nongma.codes"
    verbose_name = "码"
