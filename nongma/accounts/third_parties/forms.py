from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from nongma.accounts.models import Agency, ThirdParty
from nongma.accounts.third_parties.queries import Standing
from nongma.accounts.third_parties.services import MOST_DAYS
from nongma.lib.documents import MOST_BYTES
from nongma.regions.models import Region

MEGABYTES = MOST_BYTES // 1024 // 1024
PERSONAL = {"autocomplete": "off"}


def date_field(label: str, **options: Any) -> forms.DateField:
    """A day, chosen in the browser's calendar."""
    return forms.DateField(label=label, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), **options)


class FilterForm(forms.Form):
    """What the list of third parties is narrowed by."""

    q = forms.CharField(
        label="查找", required=False, max_length=60, widget=forms.TextInput({"placeholder": "名称或信用代码"})
    )
    standing = forms.ChoiceField(label="授权状态", required=False, choices=[("", "全部"), *Standing.choices])


class FirmForm(forms.Form):
    """A firm as a county enters or corrects it."""

    agency = forms.ChoiceField(label="委托机构")
    name = forms.CharField(label="机构名称", max_length=100, help_text="营业执照上的全称")
    number = forms.CharField(label="统一社会信用代码", max_length=30, help_text="营业执照上的 18 位代码")
    contact = forms.CharField(label="联系人", max_length=60, widget=forms.TextInput(PERSONAL))
    phone = forms.CharField(label="联系人手机", max_length=20, widget=forms.TextInput(PERSONAL | {"type": "tel"}))

    def __init__(self, *args: Any, agencies: list[Agency], **options: Any) -> None:
        super().__init__(*args, **options)
        if len(agencies) == 1:
            del self.fields["agency"]
        else:
            self.fields["agency"] = forms.ChoiceField(
                label="委托机构", choices=[(str(one.pk), one.name) for one in agencies]
            )


class ChangeForm(FirmForm):
    """A firm as a county corrects it: the number stays, and the phone stands masked beside an empty field."""

    def __init__(self, data: Any = None, *, firm: ThirdParty) -> None:
        super().__init__(data, agencies=[], initial={"name": firm.name, "contact": firm.contact})
        del self.fields["number"], self.fields["agency"]
        if firm.phone:
            phone = self.fields["phone"]
            phone.required = False
            phone.widget.attrs["placeholder"] = f"{firm.masked_phone}（留空＝不改）"
            phone.help_text = "留空＝不改"


class AuthoriseForm(forms.Form):
    """Which townships, how long, and the signed agreement."""

    towns = forms.TypedMultipleChoiceField(label="授权乡镇", coerce=int, widget=forms.CheckboxSelectMultiple)
    from_on = date_field("授权开始", help_text="从这一天起可以采集")
    to_on = date_field("授权结束", help_text=f"这一天过后自动停止，一次最多 {MOST_DAYS} 天")
    agreed_on = date_field("协议签订日期")
    agreement = forms.FileField(
        label="信息安全保密协议",
        allow_empty_file=True,
        widget=forms.ClearableFileInput({"accept": ".pdf,.jpg,.jpeg,.png"}),
        help_text=f"双方签字盖章后的扫描件或照片，PDF、JPG 或 PNG，最大 {MEGABYTES} MB；加密保存",
    )

    def __init__(self, data: Any, files: Any, *, towns: list[Region], initial: dict[str, Any]) -> None:
        today = timezone.localdate()
        period = {"from_on": today, "to_on": today + timedelta(days=MOST_DAYS - 2)}
        super().__init__(data, files, initial=period | initial)
        field = self.fields["towns"]
        if isinstance(field, forms.TypedMultipleChoiceField):
            field.choices = [(str(one.code), one.name) for one in towns]
        if towns and towns[0].level == Region.Level.VILLAGE:
            field.label = "授权村（社区）"


class RevokeForm(forms.Form):
    """Why an authorisation is taken back."""

    reason = forms.CharField(label="撤销原因", max_length=200, widget=forms.Textarea({"rows": 3}))


class CollectorForm(forms.Form):
    """One of the firm's people."""

    name = forms.CharField(label="姓名", max_length=60, widget=forms.TextInput(PERSONAL))
    username = forms.CharField(
        label="用户名",
        max_length=60,
        help_text="登录用，3 到 60 个字母、数字或 _ . @ -",
        widget=forms.TextInput(PERSONAL),
    )
    phone = forms.CharField(
        label="手机", max_length=20, required=False, widget=forms.TextInput(PERSONAL | {"type": "tel"})
    )
