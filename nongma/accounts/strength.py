"""Which passwords are too easy to guess (docs/security.md lists the rules and the words)."""

import itertools
import re

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    UserAttributeSimilarityValidator,
)
from django.core.exceptions import ValidationError

from nongma.accounts.models import User
from nongma.regions.queries import path_of

WORDS = (
    "农码",
    "nongma",
    "农产品",
    "nongchanpin",
    "追溯",
    "zhuisu",
    "合格证",
    "hegezheng",
    "监管",
    "jianguan",
    "admin",
)
"""Words of this platform and trade that a guesser tries first."""
LEAST_BESIDE = 6
LEAST_DIFFERENT = 5
AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")


class SimilarityValidator(UserAttributeSimilarityValidator):
    """A password that is nearly the username, the name or the mail address."""

    def get_error_message(self) -> str:
        return "这个密码和%(verbose_name)s太像"


class LengthValidator(MinimumLengthValidator):
    """A password that is too short."""

    def get_error_message(self) -> str:
        return f"密码至少要 {self.min_length} 位"


class CommonValidator(CommonPasswordValidator):
    """A common password, bare or with digits and signs around it: `password`, `Password2026!`."""

    def validate(self, password: str, user: User | None = None) -> None:
        super().validate(password, user)
        core = AROUND.sub("", password.lower())
        if core in self.passwords:
            raise ValidationError("这个密码太常见：常用词前后加数字或符号，也容易猜到", code="password_too_common")
        if len(set(password)) < LEAST_DIFFERENT or _is_sequence(password):
            raise ValidationError("这个密码太容易猜：重复或连续的字符太多", code="password_too_regular")

    def get_help_text(self) -> str:
        return "不能是常用密码"


class ContextValidator:
    """A password that is little more than words which a guesser knows: of the platform, the person and the place."""

    def validate(self, password: str, user: User | None = None) -> None:
        rest = password.lower()
        for word in sorted(_words_of(user), key=len, reverse=True):
            rest = rest.replace(word, "")
        if rest != password.lower() and len(AROUND.sub("", rest)) < LEAST_BESIDE:
            raise ValidationError(
                f"这个密码太容易猜：除了平台名、用户名、地名和前后的数字，至少还要有 {LEAST_BESIDE} 个字",
                code="password_of_context",
            )

    def get_help_text(self) -> str:
        return "不能主要由平台名、用户名和地名组成"


def _words_of(user: User | None) -> set[str]:
    words = set(WORDS)
    if user is not None:
        words |= {user.username.lower(), user.name.lower()}
        if user.place:
            words |= {word.lower() for region in path_of(user.place) for word in (region.name, region.pinyin)}
            words |= {region.name.rstrip("省市区县镇乡村") for region in path_of(user.place)}
    return {word for word in words if len(word) > 1}


def _is_sequence(password: str) -> bool:
    """Whether every character follows the one before by the same step: 1234567890, abcdefghij, 9876543210."""
    return len({_step(before, after) for before, after in itertools.pairwise(password)}) == 1


def _step(before: str, after: str) -> int:
    """From one character to the next; behind 9 comes 0."""
    step = ord(after) - ord(before)
    return step % 10 if (before + after).isdecimal() else step
