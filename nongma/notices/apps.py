from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "nongma.notices"
    verbose_name = "提醒"
