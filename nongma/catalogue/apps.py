from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "nongma.catalogue"
    verbose_name = "目录"
