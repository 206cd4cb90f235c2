"""The certificate's versions (合格证样式): wording by date, so that an older form still prints."""

from datetime import date
from typing import Any

from nongma.certificates.models import Basis, CertificateTemplate
from nongma.certificates.services import newest_template

# `verified` is for a person who has laid the wording beside the text named as its source: neither is at hand here.
TEMPLATES: tuple[dict[str, Any], ...] = (
    {
        "code": "2021",
        "title": "承诺达标合格证",
        "producer_promise": [
            "不使用禁用农药兽药、停用兽药和非法添加物",
            "常规农药兽药残留不超标",
            "对承诺的真实性负责",
        ],
        "buyer_promise": [],
        "basis_labels": {
            Basis.QUALITY_CONTROL: "内部质量控制",
            Basis.SELF_TEST: "自我检测",
            Basis.COMMISSIONED_TEST: "委托检测",
        },
        "source": "农业农村部办公厅关于加快推进承诺达标合格证制度试行工作的通知（农办质〔2021〕16号）",
        "verified": False,
        "valid_from": date(2021, 11, 4),
        "valid_to": date(2026, 1, 31),
    },
    {
        "code": "2026",
        "title": "承诺达标合格证",
        "producer_promise": ["未使用禁用农药、兽药及其他化合物", "使用的常规农药、兽药残留不超标"],
        "buyer_promise": [
            "已按规定收取并保存该批次农产品承诺达标合格证或者其他质量安全合格证明",
            "未违规使用保鲜剂、防腐剂、添加剂等",
        ],
        "basis_labels": dict(Basis.choices),
        "source": "农产品质量安全承诺达标合格证管理办法（农业农村部令2025年第4号）",
        "verified": False,
        "valid_from": date(2026, 2, 1),
        "valid_to": None,
    },
)


def load() -> str:
    """Load the versions; loading again corrects what changed and adds what is new."""
    for values in TEMPLATES:
        CertificateTemplate.objects.update_or_create(code=values["code"], defaults=values)
    newest_template.cache_clear()
    return f"{len(TEMPLATES)} 个合格证样式"
