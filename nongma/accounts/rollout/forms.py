from typing import Any

from django import forms

from nongma.accounts.models import Agency, Training
from nongma.accounts.third_parties.forms import date_field


def agency_field(agencies: list[Agency]) -> forms.ChoiceField:
    """Which of the agencies that the person administers."""
    return forms.ChoiceField(label="机构", choices=[(str(one.pk), one.name) for one in agencies])


class TrainingForm(forms.Form):
    """A training as its agency enters it."""

    title = forms.CharField(label="培训内容", max_length=100, help_text="如：乡镇监管员平台操作培训")
    held_on = date_field("培训日期")
    mode = forms.ChoiceField(label="方式", choices=Training.Mode.choices, widget=forms.RadioSelect)

    def __init__(self, *args: Any, agencies: list[Agency], **options: Any) -> None:
        super().__init__(*args, **options)
        if len(agencies) > 1:
            self.fields["agency"] = agency_field(agencies)
            self.order_fields(["agency"])


class SearchForm(forms.Form):
    """Who is looked for."""

    q = forms.CharField(label="姓名或用户名", max_length=60, widget=forms.TextInput({"autocomplete": "off"}))


class ListForm(forms.Form):
    """A pasted list of people."""

    names = forms.CharField(
        label="名单",
        max_length=40_000,
        help_text="用户名或姓名，一行一个，或用空格、逗号隔开；一次最多 500 个。有重名的请写用户名",
        widget=forms.Textarea({"rows": 6, "autocomplete": "off"}),
    )


class TargetForm(forms.Form):
    """By when the area shall be rolled out."""

    accounts_due_on = date_field(
        "账号分配完成日期",
        help_text="仅供参考：湘农发〔2018〕154号、粤农农办〔2018〕42号都要求 2018 年底前完成",
    )
    training_due_on = date_field(
        "培训完成日期",
        help_text="仅供参考：粤农农办〔2018〕42号，五（七）要求 2018 年底前完成",
    )

    def __init__(self, *args: Any, agencies: list[Agency], **options: Any) -> None:
        super().__init__(*args, **options)
        if len(agencies) > 1:
            self.fields["agency"] = agency_field(agencies)
            self.order_fields(["agency"])
