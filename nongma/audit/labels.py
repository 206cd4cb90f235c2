"""The log's actions and records in the words of the trade; each room adds its lines here (操作名称)."""

ACTIONS = {
    "account.created": "新建账号",
    "account.channels_chosen": "选择提醒方式",
    "account.appointed": "任职",
    "account.dismissed": "离任",
    "account.deactivated": "停用账号",
    "account.signed_in": "登录",
    "account.failed": "登录失败",
    "account.locked": "账号锁定",
    "account.password_changed": "修改密码",
    "account.password_reset": "重设密码",
    "account.totp_enrolled": "启用动态口令",
    "account.totp_removed": "停用动态口令",
    "agency.created": "新建机构",
    "audit.exported": "导出审计记录",
    "audit.check_started": "开始核对审计记录",
    "audit.check_finished": "审计记录核对完成",
    "base.registered": "登记基地",
    "certificate.issued": "开具合格证",
    "certificate.revoked": "作废合格证",
    "code_range.voided": "作废码段",
    "import.queued": "上传表格",
    "import.started": "开始导入",
    "import.finished": "导入完成",
    "import.failed": "导入失败",
    "import.file_removed": "到期删除上传文件",
    "items.coded": "发单品码",
    "lot.harvested": "登记采收",
    "lot.split": "分装",
    "lot.mixed": "混装",
    "lot.transferred": "交易",
    "lot.lost": "登记损耗",
    "lot.recalled": "召回",
    "lot.frozen": "冻结",
    "lot.unfrozen": "解除冻结",
    "operator.registered": "登记主体",
    "operator.changed": "修改主体信息",
    "operator.approved": "主体审核通过",
    "operator.returned": "主体退回",
    "operator.revealed": "查看主体联系方式",
    "operator.exported": "导出主体",
    "operator.member_added": "增加主体人员",
    "origin.imported": "导入产地信息",
    "origin.located": "定位并提交",
    "origin.changed": "修改产地信息",
    "origin.approved": "产地信息审核通过",
    "origin.returned": "产地信息退回",
    "origin.revealed": "查看产地联系方式",
    "origin.superseded": "更新为新记录",
    "origins.exported": "导出产地信息",
    "outgoing.resent": "重发消息",
}

KINDS = {
    "agency": "机构",
    "base": "基地",
    "certificate": "合格证",
    "check": "审计核对",
    "coderange": "码段",
    "importjob": "导入",
    "lot": "批次",
    "operator": "主体",
    "origin": "产地信息",
    "outgoing": "外发消息",
    "user": "账号",
}

DETAILS = {
    "accepted": "已保存",
    "action": "操作",
    "agency": "机构",
    "basis": "依据",
    "by": "方式",
    "channel": "方式",
    "code": "编码",
    "deadline": "到期提醒",
    "decision": "办理结果",
    "digest": "每日汇总",
    "entries": "记录数",
    "faults": "问题",
    "count": "条数",
    "field": "项目",
    "filename": "文件",
    "filter": "筛选条件",
    "form": "格式",
    "format": "格式",
    "from_on": "从",
    "into": "新批次",
    "kind": "类别",
    "last_row": "处理到第几行",
    "lot": "批次",
    "name": "名称",
    "note": "说明",
    "point": "坐标",
    "prompt": "待办提示",
    "quantity": "数量",
    "reached": "涉及",
    "reason": "原因",
    "rejected": "有误",
    "role": "角色",
    "row": "行号",
    "rows": "行数",
    "seals": "封存数",
    "state": "状态",
    "status": "状态",
    "to_locate": "待定位",
    "to_on": "到",
    "total": "总数",
    "unchanged": "以前传过",
    "unit": "单位",
    "username": "用户名",
}


def action_label(action: str) -> str:
    """The Chinese name of an action; one without a name shows as it is stored."""
    return ACTIONS.get(action, action)


def kind_label(kind: str) -> str:
    """The Chinese name of a kind of record; one without a name shows as it is stored."""
    return KINDS.get(kind, kind)


def detail_label(name: str) -> str:
    """The Chinese name of a detail; one without a name shows as it is stored."""
    return DETAILS.get(name, name)
