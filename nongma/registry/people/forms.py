from typing import Any

from django import forms

from nongma.registry.models import OperatorMember


class PersonForm(forms.Form):
    """Who is to act for the operator, signing in by the own phone."""

    name = forms.CharField(label="姓名", max_length=60, widget=forms.TextInput({"autocomplete": "off"}))
    phone = forms.CharField(
        label="手机号",
        max_length=20,
        help_text="他 7 天内用这个手机号收验证码登录，同意以后才能办事",
        widget=forms.TextInput({"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label="角色",
        choices=[(OperatorMember.Role.STAFF, "员工"), (OperatorMember.Role.OWNER, "负责人")],
        initial=OperatorMember.Role.STAFF,
    )

    def __init__(self, data: Any = None, *, own: bool) -> None:
        super().__init__(data)
        if own:
            del self.fields["role"]
