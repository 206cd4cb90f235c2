from django.apps import AppConfig


class OriginsConfig(AppConfig):
    name = "nongma.origins"
    verbose_name = "产地溯源信息"
