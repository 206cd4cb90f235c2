from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "nongma.audit"
    verbose_name = "审计"
