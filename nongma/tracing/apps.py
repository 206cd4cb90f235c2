from django.apps import AppConfig


class TracingConfig(AppConfig):
    name = "nongma.tracing"
    verbose_name = "追溯"
