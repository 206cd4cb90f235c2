"""What waits for reviewers (待审核的主体)."""

from django.urls import reverse

from nongma.notices.reviewers import prompt_reviewers
from nongma.registry.models import Operator


def prompt_of_waiting() -> int:
    """Tell each reviewer how many operators of the own area wait; one read of the index of states."""
    return prompt_reviewers(
        waiting=Operator.objects.filter(status=Operator.Status.SUBMITTED),
        about="operators.waiting",
        title="{count} 个主体等您审核",
        url=reverse("registry:review"),
    )
