from typing import Any

from django import forms
from django.db import models

from nongma.accounts.granting import roles_open
from nongma.accounts.models import Agency, Department, User
from nongma.accounts.services.people import checked_email, checked_phone, checked_username
from nongma.lib.forms import ANY, show_refusal
from nongma.lib.refused import Refused
from nongma.regions.forms import RegionField
from nongma.regions.models import Region


class State(models.TextChoices):
    """What may be looked for in the list of agencies."""

    ACTIVE = "active", "在用"
    VACANT = "vacant", "没有平台管理员"
    SUSPENDED = "suspended", "已停用"


class AgencyFilterForm(forms.Form):
    """What the list of agencies is narrowed by."""

    q = forms.CharField(
        label="查找", required=False, max_length=60, widget=forms.TextInput({"placeholder": "机构名称"})
    )
    region = RegionField(required=False)
    level = forms.ChoiceField(label="层级", required=False, choices=[ANY, *Region.Level.choices])
    kind = forms.ChoiceField(label="类别", required=False, choices=[ANY, *Agency.Kind.choices])
    department = forms.ChoiceField(label="部门", required=False, choices=[ANY, *Department.choices])
    state = forms.ChoiceField(label="状态", required=False, choices=[ANY, *State.choices])


class AgencyChangeForm(forms.Form):
    """What may be corrected of an agency."""

    name = forms.CharField(label="机构名称", max_length=100, help_text="写全称，如“崖州区农产品质量安全监管站”")
    department = forms.ChoiceField(label="部门", choices=Department.choices, initial=Department.QUALITY_SAFETY)


class AgencyForm(AgencyChangeForm):
    """A new agency."""

    region = RegionField(label="行政区划", help_text="机构管辖的地方；只能选您管辖范围内的")
    kind = forms.ChoiceField(
        label="类别",
        choices=Agency.Kind.choices,
        initial=Agency.Kind.SUPERVISION,
        widget=forms.RadioSelect,
        help_text="监管机构由上一级分配账号；监测、执法机构由本级监管机构分配",
    )
    field_order = ("region", "kind", "department", "name")


class ReasonForm(forms.Form):
    """Why something is done that people will ask about."""

    reason = forms.CharField(label="原因", max_length=200, help_text="记入审计，本人登录时看不到")


class PersonForm(forms.Form):
    """A new account at an agency, with the posts that come with it."""

    name = forms.CharField(label="姓名", max_length=60)
    username = forms.CharField(
        label="用户名",
        max_length=60,
        help_text="登录用，3 到 60 个字母、数字或 _ . @ -，以后不能改",
        widget=forms.TextInput({"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    roles = forms.MultipleChoiceField(label="角色", widget=forms.CheckboxSelectMultiple, help_text="可以选几个")
    phone = forms.CharField(
        label="手机",
        max_length=20,
        required=False,
        widget=forms.TextInput({"type": "tel", "autocomplete": "off"}),
        help_text="接收提醒用",
    )
    email = forms.CharField(
        label="邮箱", max_length=200, required=False, widget=forms.TextInput({"type": "email", "autocomplete": "off"})
    )

    def __init__(self, *args: Any, agency: Agency, actor: User, **options: Any) -> None:
        super().__init__(*args, **options)
        roles = roles_open(actor, agency)
        field = self.fields["roles"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(role.value, role.label) for role in roles]
        if len(roles) == 1:
            field.initial = [roles[0].value]

    def clean(self) -> dict[str, Any]:
        """Every fault at once: what the service would refuse one by one stands beside its field."""
        cleaned = super().clean() or {}
        for name, check in (("username", checked_username), ("phone", checked_phone), ("email", checked_email)):
            try:
                if text := cleaned.get(name):
                    check(text)
            except Refused as refusal:
                show_refusal(self, refusal)
        return cleaned


class AppointForm(forms.Form):
    """Somebody who has an account already, and the post."""

    username = forms.CharField(
        label="用户名",
        max_length=60,
        help_text="已有账号的人；没有账号的先“分配账号”",
        widget=forms.TextInput({"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label="角色")

    def __init__(self, *args: Any, agency: Agency, actor: User, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(role.value, role.label) for role in roles_open(actor, agency)]
