"""The audit log's actions in the words of the trade (操作名称)."""

DEEDS = {
    "agency.created": "新建机构",
    "user.created": "新建用户",
    "user.signed_in": "登录",
    "user.signed_out": "退出登录",
    "user.sign_in_failed": "登录失败",
    "user.locked": "账号锁定",
    "user.password_changed": "修改密码",
    "user.token_issued": "取得接口令牌",
    "operator.registered": "登记主体",
    "operator.imported": "导入主体",
    "operator.changed": "修改主体信息",
    "operator.approved": "主体审核通过",
    "operator.returned": "主体退回",
    "operator.revealed": "查看主体联系方式",
    "base.registered": "登记基地",
    "base.located": "基地定位",
    "origin.imported": "导入",
    "origin.collected": "采集",
    "origin.submitted": "提交审核",
    "origin.located": "定位并提交",
    "origin.changed": "修改",
    "origin.approved": "审核通过",
    "origin.returned": "退回",
    "origin.superseded": "更新为新记录",
    "origin.revealed": "查看联系方式",
    "origin.exported": "导出",
    "import.queued": "上传表格",
    "import.finished": "导入完成",
    "import.failed": "导入失败",
    "lot.harvested": "登记采收",
    "lot.split": "分装",
    "lot.mixed": "混装",
    "lot.transferred": "交易",
    "lot.lost": "登记损耗",
    "lot.recalled": "召回",
    "lot.frozen": "冻结",
    "certificate.issued": "开具合格证",
    "certificate.revoked": "作废合格证",
    "certificate.printed": "打印合格证",
}


def deed_of(action: str) -> str:
    """The Chinese name of an action; an action without one shows as it is stored."""
    return DEEDS.get(action, action)
