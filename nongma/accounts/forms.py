from typing import Any

from django import forms


class SignInForm(forms.Form):
    """Who signs in."""

    username = forms.CharField(
        label="用户名",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="密码",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """The six digits that the phone shows now."""

    code = forms.RegexField(
        r"^\s*\d{3}\s*\d{3}\s*$",
        label="六位动态口令",
        error_messages={"invalid": "请输入手机上显示的六位数字"},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "8"}),
    )


class RecoveryForm(forms.Form):
    """A code from the paper that was printed when the phone was enrolled."""

    code = forms.RegexField(
        r"^\s*[A-Za-z0-9]{4}([\s-]*[A-Za-z0-9]{4}){5}\s*$",
        label="恢复码",
        help_text="二十四个字母和数字，四个一组；每个只能用一次",
        error_messages={"invalid": "恢复码是二十四个字母和数字，请照纸上的输入"},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "maxlength": "40"}
        ),
    )


class ProofForm(forms.Form):
    """One's own password once more; its field has a name of its own, to stand among those of any form."""

    NAME = "proof_password"

    proof_password = forms.CharField(
        label="密码",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class FullProofForm(ProofForm):
    """The password once more, and the second factor."""

    proof_code = forms.CharField(
        label="六位动态口令，或一个恢复码",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "none"}),
    )


class NewPasswordForm(forms.Form):
    """A new password, written twice."""

    old = forms.CharField(
        label="原密码",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="新密码",
        max_length=200,
        strip=False,
        help_text="至少 10 位，越长越好，可以用一句话；不要用常见密码、用户名、地名。不必定期更换",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="再输一遍新密码",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "new" in cleaned and "again" in cleaned and cleaned["new"] != cleaned["again"]:
            self.add_error("again", "两次输入的新密码不一样")
        return cleaned
