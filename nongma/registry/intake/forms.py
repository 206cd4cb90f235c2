from django import forms

from nongma.registry.intake.sheet import TITLE


class UploadForm(forms.Form):
    """The sheet of operators."""

    file = forms.FileField(
        label=TITLE,
        max_length=200,
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        error_messages={"required": "请选择要上传的文件", "empty": f"文件是空的，请选择填好的{TITLE}"},
    )


class ConfirmForm(forms.Form):
    """Whether the operators of a sheet need no review any more."""

    approves = forms.BooleanField(
        label="已核实，直接通过",
        required=False,
        help_text="这些主体县里已经逐个核实过。不勾的，登记后是“待认领”，以后由本人认领或由您审核",
    )


class UndoForm(forms.Form):
    """Why a load is taken back."""

    reason = forms.CharField(label="撤回原因", max_length=200, widget=forms.TextInput())
