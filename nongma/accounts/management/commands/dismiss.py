from django.core.management.base import CommandError

from nongma.accounts.management.acting import PostCommand
from nongma.accounts.models import Agency, Role, User
from nongma.accounts.services import dismiss


class Command(PostCommand):
    """End a person's post (离任)."""

    help = "离任：结束一个职务，账号保留"

    def act_on(self, user: User, agency: Agency, role: Role, actor: User) -> str:
        post = user.memberships.filter(agency=agency, role=role, to_on=None).first()
        if post is None:
            raise CommandError(f"{user} 不是 {agency} 的{role.label}")
        dismiss(membership=post, actor=actor)
        return f"{user} 不再任 {agency} {role.label}"
