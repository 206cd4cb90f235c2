from django.apps import AppConfig


class PublicConfig(AppConfig):
    name = "nongma.public"
    verbose_name = "扫码查询"
