import pytest
from django import forms

from nongma.lib.forms import show_refusal
from nongma.lib.refused import Refused


class Everything(forms.Form):
    quantity = forms.DecimalField(label="数量（千克）")
    unit = forms.ChoiceField(label="单位", choices=[("kg", "千克")])
    region = forms.ChoiceField(label="所在地", choices=[("1", "崖州区")], widget=forms.HiddenInput)
    files = forms.FileField(label="表格")
    agreed = forms.BooleanField(label="已读")
    promise = forms.BooleanField(label="承诺", error_messages={"required": "请先阅读承诺并勾选"})
    reason = forms.CharField(label="原因", required=False)


@pytest.mark.parametrize("times", [1, 2])
def test_it_asks_for_what_is_missing_by_its_name(times):
    for _ in range(times):
        form = Everything({})

    assert form.errors == {
        "quantity": ["请填写数量"],
        "unit": ["请选择单位"],
        "region": ["请选择所在地"],
        "files": ["请选择表格"],
        "agreed": ["请勾选已读"],
        "promise": ["请先阅读承诺并勾选"],
    }
    assert form["quantity"].errors == ["请填写数量"]


def test_a_refusal_stands_beside_the_field_it_names():
    form = Everything({})
    show_refusal(form, Refused("over_balance", "只剩 5 千克", field="reason"))
    show_refusal(form, Refused("frozen", "已冻结", field="lot"))

    assert (form.errors["reason"], form.non_field_errors()) == (["只剩 5 千克"], ["已冻结"])
