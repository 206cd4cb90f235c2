from typing import Any

from django import forms

from nongma.accounts.models import User
from nongma.notices.models import Channel, Notice, Outgoing, Preference
from nongma.notices.queries import chosen_channels
from nongma.notices.sending import address_of
from nongma.notices.ways import open_channels

KINDS = {**{kind.value: str(kind.label) for kind in Notice.Kind}, "digest": "每日汇总"}
HELP = {
    "digest": "每天早上八点一条，只说有几条未读、几件快到期",
    Notice.Kind.PROMPT: "有事等您办，一来就发",
    Notice.Kind.DEADLINE: "快到期的事，一来就发",
    Notice.Kind.DECISION: "审核、召回、作废的结果，一出来就发",
}


class NoticeFilter(forms.Form):
    """What the list of notices is narrowed by."""

    kind = forms.ChoiceField(label="类别", choices=[("", "全部"), *Notice.Kind.choices], required=False)
    unread = forms.BooleanField(label="只看未读", required=False)


class SentFilter(forms.Form):
    """What the log of messages is narrowed by."""

    state = forms.ChoiceField(label="状态", choices=[("", "全部"), *Outgoing.State.choices], required=False)
    channel = forms.ChoiceField(label="方式", choices=[("", "全部"), *Channel.choices], required=False)
    recipient = forms.CharField(
        label="手机号、邮箱或用户名",
        max_length=120,
        required=False,
        widget=forms.TextInput({"placeholder": "要写全", "autocomplete": "off"}),
    )


class ContactForm(forms.Form):
    """The phone and the mail address that a person receives with."""

    phone = forms.CharField(
        label="手机号",
        max_length=40,
        required=False,
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    email = forms.CharField(
        label="邮箱",
        max_length=200,
        required=False,
        widget=forms.TextInput({"type": "email", "autocomplete": "email", "inputmode": "email"}),
    )


class ChannelsForm(forms.Form):
    """By which channels a person wants to be told of what; one that is closed or has no address is not offered."""

    def __init__(self, data: Any, *, user: User, preference: Preference | None) -> None:
        super().__init__(data)
        self.reachable = [channel for channel in open_channels() if address_of(user, channel)]
        choices = [(channel.value, str(channel.label)) for channel in self.reachable]
        for kind in ("digest", *Notice.Kind.values):
            self.fields[kind] = forms.MultipleChoiceField(
                label=KINDS[kind],
                choices=choices,
                required=False,
                help_text=HELP[kind],
                widget=forms.CheckboxSelectMultiple,
                initial=chosen_channels(user, preference, kind),
            )
