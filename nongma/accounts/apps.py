from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "nongma.accounts"
    verbose_name = "机构与账号"
