from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "nongma.desk"
    verbose_name = "工作台"
