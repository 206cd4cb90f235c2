from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "nongma.certificates"
    verbose_name = "承诺达标合格证"
