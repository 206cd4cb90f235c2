from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "nongma.registry"
    verbose_name = "主体"
