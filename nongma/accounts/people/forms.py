from typing import Any

from django import forms
from django.db import models

from nongma.accounts.models import Role, User
from nongma.accounts.services import Leaver
from nongma.lib.forms import ANY
from nongma.lib.masking import mask_email
from nongma.regions.forms import RegionField


class State(models.TextChoices):
    """What may be looked for in the list of people."""

    UNCLAIMED = "unclaimed", "等本人修改密码"
    SUSPENDED = "suspended", "已停用"
    THIRD_PARTY = "third_party", "第三方采集人员"
    CLOSED = "closed", "已注销"


class PersonFilterForm(forms.Form):
    """What the list of people is narrowed by."""

    q = forms.CharField(
        label="查找", required=False, max_length=60, widget=forms.TextInput({"placeholder": "姓名、用户名、手机号"})
    )
    region = RegionField(required=False)
    role = forms.ChoiceField(
        label="角色",
        required=False,
        choices=[ANY, *(choice for choice in Role.choices if choice[0] != Role.OPERATOR)],
    )
    state = forms.ChoiceField(label="状态", required=False, choices=[ANY, *State.choices])


class PersonChangeForm(forms.Form):
    """What may be corrected of a person; phone and mail stand masked and stay as they are when left empty."""

    name = forms.CharField(label="姓名", max_length=60)
    phone = forms.CharField(
        label="手机", max_length=20, required=False, widget=forms.TextInput({"type": "tel", "autocomplete": "off"})
    )
    email = forms.CharField(
        label="邮箱", max_length=200, required=False, widget=forms.TextInput({"type": "email", "autocomplete": "off"})
    )

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        options["initial"] = {"name": person.name}
        super().__init__(*args, **options)
        for name, known in (("phone", person.masked_phone), ("email", mask_email(person.email))):
            self.fields[name].help_text = f"现在是 {known}，不改就留空" if known else ""


class HandOverForm(forms.Form):
    """Who takes a post over, and from when."""

    to = forms.CharField(
        label="接任人的用户名",
        max_length=60,
        help_text="已有账号的，写他的用户名；没有账号的，写一个新用户名，再填下面的姓名",
        widget=forms.TextInput(
            {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false", "list": "candidates"}
        ),
    )
    name = forms.CharField(label="接任人没有账号：姓名", max_length=60, required=False)
    phone = forms.CharField(
        label="接任人没有账号：手机",
        max_length=20,
        required=False,
        widget=forms.TextInput({"type": "tel", "autocomplete": "off"}),
    )
    on = forms.DateField(label="交接日期", widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    leaver = forms.ChoiceField(
        label="前任的账号",
        choices=Leaver.choices,
        initial=Leaver.KEEP,
        widget=forms.RadioSelect,
    )
