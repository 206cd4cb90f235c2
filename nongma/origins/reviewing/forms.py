"""How many records to draw before deciding on a whole."""

from django import forms

from nongma.origins.reviewing.sampling import FEWEST, MOST, SIZES, USUAL


class SampleForm(forms.Form):
    """How many are drawn."""

    size = forms.IntegerField(
        label="抽查条数",
        min_value=FEWEST,
        max_value=MOST,
        initial=USUAL,
        widget=forms.NumberInput({"inputmode": "numeric", "list": "sample-sizes"}),
        help_text=f"随机抽，{FEWEST} 到 {MOST} 条",
    )
    sizes = SIZES
