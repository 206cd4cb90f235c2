"""What waits for reviewers (待审核的主体、变更和认领)."""

from django.urls import reverse

from nongma.notices.reviewers import prompt_reviewers
from nongma.registry.models import NOT_TRADING, Claim, Operator, Revision


def prompt_of_waiting() -> int:
    """Tell each reviewer how many operators, changes and claims of the own area wait; one read of an index for each."""
    told = prompt_reviewers(
        waiting=Operator.objects.filter(status=Operator.Status.SUBMITTED),
        about="operators.waiting",
        title="{count} 个主体等您审核",
        url=reverse("registry:review"),
    )
    told += prompt_reviewers(
        waiting=Revision.objects.waiting().exclude(operator__status__in=NOT_TRADING),
        about="operators.changes_waiting",
        title="{count} 个主体变更等您审核",
        url=reverse("registry:review-changes"),
    )
    return told + prompt_reviewers(
        waiting=Claim.objects.waiting(),
        about="operators.claims_waiting",
        title="{count} 个认领等您核实",
        url=reverse("registry:review-claims"),
    )
