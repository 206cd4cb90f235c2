from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.labels import ACTIONS, KINDS
from nongma.audit.queries import Search

DAYS_SHOWN = 30
LONGEST_DAYS = 366


class SearchForm(forms.Form):
    """What to look for in the audit log. The first look shows the last thirty days."""

    from_on = forms.DateField(label="从", widget=forms.DateInput(attrs={"type": "date"}))
    to_on = forms.DateField(label="到", widget=forms.DateInput(attrs={"type": "date"}))
    username = forms.CharField(label="操作人用户名", max_length=60, required=False)
    action = forms.ChoiceField(label="操作", choices=[("", "全部"), *ACTIONS.items()], required=False)
    kind = forms.ChoiceField(label="对象", choices=[("", "全部"), *KINDS.items()], required=False)
    target = forms.CharField(label="对象编号", max_length=60, required=False)
    person = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False, widget=forms.HiddenInput())

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

    @property
    def search(self) -> Search:
        """The valid form as a search; an unknown username finds nobody."""
        values = self.cleaned_data
        person = values["person"]
        if values["username"]:
            known = User.objects.filter(username=values["username"]).values_list("pk", flat=True).first()
            person = known or 0
        return Search(
            from_on=values["from_on"],
            to_on=values["to_on"],
            person=person,
            action=values["action"],
            kind=values["kind"],
            target=values["target"],
        )
