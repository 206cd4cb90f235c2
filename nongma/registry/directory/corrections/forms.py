from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from nongma.lib.forms import ANY
from nongma.regions.forms import RegionField
from nongma.registry.directory.fields import LABELS
from nongma.registry.models import Correction

USUAL_DAYS = 15
DEMANDS = {
    "missing": "请登录平台，打开本主体页面，补齐缺的项目。",
    "stale": "请登录平台，核对本主体的全部信息；有变化的修改，没有变化的点“确认没有变化”。",
    "wrong": "请登录平台，把不准确的项目改正。",
    "uncoded": "请按规定开具承诺达标合格证，给上市的农产品赋码。",
}


class CorrectionForm(forms.Form):
    """What an operator is asked to put right, and by when."""

    matter = forms.ChoiceField(label="事由", choices=Correction.Matter.choices)
    named = forms.MultipleChoiceField(
        label="涉及的项目",
        choices=list(LABELS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="缺失、不准确的要勾选",
    )
    finding = forms.CharField(label="问题", max_length=300, widget=forms.Textarea({"rows": 2}))
    demand = forms.CharField(label="整改要求", max_length=300, widget=forms.Textarea({"rows": 3}))
    due_on = forms.DateField(label="整改期限", widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))


def usual(entry: Any) -> dict[str, Any]:
    """What a notice to the operator of an entry most likely says."""
    if entry is None:
        matter, finding, fields = "wrong", "", []
    elif entry.lacks:
        matter, fields = "missing", list(entry.lacks)
        finding = f"登记信息还缺：{'、'.join(LABELS[field] for field in entry.lacks)}"
    elif entry.is_stale:
        matter, finding, fields = "stale", f"登记信息应在 {entry.stale_on} 前更新，还没有修改或确认", []
    elif entry.uncoded == "idle":
        matter, finding, fields = "uncoded", f"到 {entry.idle_on} 没有开具合格证，也没有批次码", []
    else:
        matter, finding, fields = "wrong", "", []
    due = timezone.localdate() + timedelta(days=USUAL_DAYS)
    return {"matter": matter, "named": fields, "finding": finding, "demand": DEMANDS[matter], "due_on": due}


class ManyForm(CorrectionForm):
    """What many operators are asked to put right."""

    field_order = ("matter", "finding", "named", "demand", "due_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["named"].help_text = "不准确的要勾选；缺失的不用勾，每个主体的通知上写它自己缺的项目"


FINDINGS = {
    "missing": "登记信息还缺必要的项目",
    "stale": "登记信息超过期限没有修改，也没有确认",
    "wrong": "",
    "uncoded": "超过期限没有开具合格证，也没有批次码",
}


def usual_of_many(what: str, lack: str) -> dict[str, Any]:
    """What a notice to all that a filter of the directory finds most likely says."""
    matter = "missing" if lack else {"incomplete": "missing", "stale": "stale", "uncoded": "uncoded"}.get(what, "wrong")
    due = timezone.localdate() + timedelta(days=USUAL_DAYS)
    return {"matter": matter, "finding": FINDINGS[matter], "demand": DEMANDS[matter], "due_on": due}


class AnswerForm(forms.Form):
    """What was put right."""

    answer = forms.CharField(label="整改情况", max_length=500, widget=forms.Textarea({"rows": 4}))


class CorrectionFilterForm(forms.Form):
    """What the list of notices is narrowed by."""

    state = forms.ChoiceField(
        label="状态", required=False, choices=[ANY, ("overdue", "超期"), *Correction.State.choices]
    )
    matter = forms.ChoiceField(label="事由", required=False, choices=[ANY, *Correction.Matter.choices])
    region = RegionField(required=False)
    sending = forms.UUIDField(label="批量发出", required=False, widget=forms.HiddenInput())
