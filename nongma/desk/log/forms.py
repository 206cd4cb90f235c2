from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.labels import ACTIONS, KINDS, actions_by_thing
from nongma.audit.queries import Search
from nongma.desk.log.queries import Wanted
from nongma.regions.forms import RegionField

DAYS_SHOWN = 30
LONGEST_DAYS = 366
NAMESAKES = 50
LARGEST_KEY = 2**63 - 1


class SearchForm(forms.Form):
    """What to look for in the audit log. The first look shows the last thirty days."""

    from_on = forms.DateField(label="开始日期", widget=forms.DateInput(attrs={"type": "date"}))
    to_on = forms.DateField(label="结束日期", widget=forms.DateInput(attrs={"type": "date"}))
    who = forms.CharField(
        label="操作人", max_length=60, required=False, widget=forms.TextInput({"placeholder": "姓名或用户名"})
    )
    action = forms.ChoiceField(label="操作", choices=[("", "全部"), *actions_by_thing()], required=False)
    kind = forms.ChoiceField(label="对象", choices=[("", "全部"), *KINDS.items()], required=False)
    region = RegionField(label="地区", required=False)
    target = forms.CharField(label="对象编号", max_length=60, required=False, widget=forms.HiddenInput())
    job = forms.UUIDField(label="导入", required=False, widget=forms.HiddenInput())
    person = forms.IntegerField(
        label="操作人编号", min_value=1, max_value=LARGEST_KEY, required=False, widget=forms.HiddenInput()
    )

    def __init__(self, data: Any) -> None:
        today = timezone.localdate()
        filled = data.dict()
        filled.setdefault("from_on", (today - timedelta(days=DAYS_SHOWN)).isoformat())
        filled.setdefault("to_on", today.isoformat())
        super().__init__(filled)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first: date | None = cleaned.get("from_on")
        last: date | None = cleaned.get("to_on")
        if first and last and first > last:
            self.add_error("to_on", "结束日期早于开始日期")
        elif first and last and (last - first).days > LONGEST_DAYS:
            self.add_error("from_on", "一次最多查一年")
        return cleaned

    def describe(self) -> str:
        """The valid form in words, without the name typed in it: 开始日期 2026-03-01，操作 登录."""
        values = self.cleaned_data
        told = ("from_on", "to_on", "person", "region", "target", "job")
        words = {name: values[name] for name in told}
        words |= {"action": ACTIONS.get(values["action"]), "kind": KINDS.get(values["kind"])}
        return "，".join(f"{self.fields[name].label} {value}" for name, value in words.items() if value)

    @property
    def wanted(self) -> Wanted:
        """The valid form as a search; an unknown person has done nothing."""
        values = self.cleaned_data
        who, people = values["who"].strip(), None
        if who:
            known = User.objects.filter(Q(username=who) | Q(name=who))
            people = list(known.order_by("pk").values_list("pk", flat=True)[:NAMESAKES])
        return Wanted(
            Search(
                from_on=values["from_on"],
                to_on=values["to_on"],
                person=values["person"],
                action=values["action"],
                kind=values["kind"],
                target=values["target"],
            ),
            people=people,
            region=values["region"],
            job=values["job"],
        )
