from typing import Any

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Session(AbstractBaseSession):
    """A browser in which a person is signed in (登录), kept by `accounts.sessions`."""

    user_id = models.BigIntegerField("人员", null=True)
    started_at = models.DateTimeField("登录时间", null=True)
    seen_at = models.DateTimeField("最近使用", null=True)
    address = models.GenericIPAddressField("来源地址", null=True)
    agent = models.CharField("设备", max_length=200, blank=True)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = "登录"
        verbose_name_plural = "登录"
        indexes = [models.Index(fields=("user_id",), name="accounts_session_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.started_at}"

    @classmethod
    def get_session_store_class(cls) -> Any:
        from nongma.accounts.sessions import SessionStore

        return SessionStore
