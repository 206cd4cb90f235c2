from django import forms

from nongma.accounts.handouts.slips import Order


class UploadForm(forms.Form):
    """The sheet to hand accounts out by."""

    file = forms.FileField(
        label="账号分配表",
        max_length=200,
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        error_messages={"required": "请选择要上传的文件", "empty": "文件是空的，请选择填好的账号分配表"},
    )


class SlipsForm(forms.Form):
    """Which slips to print, and in which order."""

    part = forms.IntegerField(min_value=0, max_value=1_000, widget=forms.HiddenInput())
    order = forms.ChoiceField(label="顺序", choices=Order.choices, initial=Order.ROW, widget=forms.RadioSelect())
