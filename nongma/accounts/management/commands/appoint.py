from nongma.accounts.management.acting import PostCommand
from nongma.accounts.models import Agency, Role, User
from nongma.accounts.services import appoint


class Command(PostCommand):
    """Give a person a further post (任命)."""

    help = "任命：给已有账号的人增加职务"

    def act_on(self, user: User, agency: Agency, role: Role, actor: User) -> str:
        appoint(user=user, agency=agency, role=role, actor=actor)
        return f"{user} 已任 {agency} {role.label}"
