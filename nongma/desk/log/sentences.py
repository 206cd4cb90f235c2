"""Audit entries as Chinese sentences: who did what to which record, from what to what, and what else is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from string import Formatter
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from nongma.accounts.models import Agency, Role, User
from nongma.audit.labels import action_label, detail_label
from nongma.audit.models import Entry
from nongma.catalogue.models import Unit
from nongma.certificates.models import Basis
from nongma.desk.log.targets import Key, Target, targets_of
from nongma.desk.templatetags.nongma import quantity
from nongma.notices.models import Channel
from nongma.origins.models import Origin
from nongma.regions.queries import paths_of
from nongma.registry.models import Base, Operator, OperatorKind, OperatorMember

PHRASES = {
    "account.created": "建立{target}",
    "account.channels_chosen": "选择{target}的提醒方式",
    "account.appointed": "任命{target}为{agency}的{role}",
    "account.dismissed": "免去{target}在{agency}的{role}职务",
    "account.changed": "修改{target}的{fields}",
    "account.handed_over": "把{agency}的{role}职务由{before}交接给{target}",
    "account.handed_on": "{target}把{agency}的{role}职务交给{successor}",
    "account.suspended": "停用{target}",
    "account.restored": "恢复{target}",
    "account.deactivated": "注销{target}",
    "account.exported": "导出人员名单",
    "account.signed_in": "从{by}登录",
    "account.failed": "有人登录{target}，密码不对",
    "account.code_failed": "有人登录{target}，动态口令或恢复码不对",
    "account.text_code_failed": "有人登录{target}，短信验证码不对",
    "account.phone_proved": "证实{target}的手机号",
    "account.met_known": "{target}登记时填了已登记主体的{input}",
    "account.tries_over": "{target}多次填已登记主体的信息，当天没有再放行",
    "account.refused": "有人登录已停用的{target}，没有放行",
    "account.locked": "锁定{target}：连续输错密码",
    "account.password_changed": "修改自己的密码",
    "account.password_reset": "重设{target}的密码",
    "account.slip_printed": "打印{target}的密码条",
    "account.recovery_renewed": "重新生成{target}的恢复码",
    "account.recovery_used": "用恢复码登录{target}",
    "account.signed_out": "让{target}的一台设备退出登录",
    "account.signed_out_everywhere": "让{target}退出所有设备",
    "account.totp_enrolled": "启用{target}的动态口令",
    "account.totp_removed": "停用{target}的动态口令",
    "agency.created": "建立{target}",
    "agency.changed": "修改{target}",
    "agency.suspended": "停用{target}",
    "agency.restored": "恢复{target}",
    "agency.exported": "导出机构名单",
    "audit.exported": "导出审计记录",
    "audit.check_started": "开始{target}",
    "audit.check_finished": "{target}完成",
    "base.registered": "登记{target}",
    "base.changed": "修改{target}的{fields}",
    "base.closed": "停用{target}：使用中 → 已停用",
    "base.reopened": "恢复使用{target}：已停用 → 使用中",
    "base.plot_added": "在{target}登记地块“{plot}”",
    "base.plot_changed": "修改{target}的地块“{plot}”：{fields}",
    "base.plot_closed": "停用{target}的地块“{plot}”",
    "base.board_printed": "下载{target}的标识牌",
    "certificate.issued": "开具{target}",
    "certificate.revoked": "作废{target}：有效 → 已作废",
    "code_range.voided": "作废{target}：有效 → 作废",
    "handout.queued": "上传{target}",
    "handout.finished": "按{target}分配账号完成",
    "handout.failed": "按{target}分配账号失败",
    "handout.faults_exported": "下载{target}标出问题的表格",
    "handout.slips_printed": "打印{target}的密码条",
    "handout.slips_cleared": "清除{target}的初始密码",
    "handout.file_removed": "按保存期限删除{target}的文件",
    "intake.queued": "上传{target}",
    "intake.confirmed": "确认按{target}登记主体",
    "intake.dropped": "放弃{target}",
    "intake.finished": "按{target}登记主体完成",
    "intake.failed": "按{target}登记主体失败",
    "intake.undo_asked": "开始撤回按{target}登记的主体",
    "intake.undone": "撤回按{target}登记的主体，完成",
    "intake.undo_failed": "撤回按{target}登记的主体，没有完成",
    "intake.faults_exported": "下载{target}标出问题的表格",
    "intake.file_removed": "按保存期限删除{target}的文件",
    "import.queued": "上传{target}",
    "import.started": "开始导入{target}",
    "import.finished": "导入{target}完成",
    "import.failed": "导入{target}失败",
    "import.faults_exported": "下载{target}标出问题的表格",
    "import.file_removed": "按保存期限删除{target}的文件",
    "items.coded": "为批次 {lot} 发单品码",
    "lot.harvested": "采收，登记{target}",
    "lot.split": "从{target}分装出{parts}",
    "lot.mixed": "混装{sources}，得到{target}",
    "lot.transferred": "交付{target}",
    "lot.lost": "登记{target}的损耗",
    "lot.recalled": "召回{target}：正常 → 已召回",
    "lot.frozen": "冻结{target}：正常 → 已冻结",
    "lot.unfrozen": "解除冻结{target}：已冻结 → 正常",
    "correction.sent": "向{target}发督促整改通知：{matter}，{due} 前整改",
    "correction.many_started": "开始{target}：{matter}，{due} 前整改",
    "correction.many_sent": "{target}发完",
    "correction.answered": "答复给{target}的督促整改通知",
    "correction.accepted": "确认{target}已整改",
    "correction.returned": "退回{target}的整改",
    "correction.withdrawn": "撤回给{target}的督促整改通知",
    "correction.printed": "打印给{target}的督促整改通知书",
    "correction.exported": "导出督促整改通知",
    "directory.exported": "导出监管主体目录",
    "directory.visits_printed": "打印未赋码主体走访名单",
    "directory.terms_set": "定目录期限：{fresh_months} 个月更新，{idle_months} 个月用码",
    "expected.added": "把{target}列入应纳入名单",
    "expected.struck": "把{target}移出应纳入名单",
    "scale_rule.set": "定规模标准：{subject} {threshold}，{from_on} 起",
    "scale_rule.ended": "结束规模标准：{subject} {threshold}",
    "operator.confirmed": "确认{target}的信息没有变化",
    "operator.registered": "登记{target}",
    "operator.loaded": "按表格批量登记{target}",
    "operator.taken_back": "撤回批量登记，注销{target}",
    "operator.consented": "登记{target}时同意个人信息说明（{text} 版）",
    "operator.licence_read": "查看{target}的执照照片",
    "operator.licence_changed": "上传{target}的执照照片",
    "operator.produce_changed": "修改{target}的产品和规模：{produce_before} → {produce_after}",
    "operator.changed": "修改{target}的{fields}",
    "operator.approved": "审核{target}：已通过",
    "operator.returned": "审核{target}：待审核 → 已退回",
    "operator.change_asked": "申请变更{target}的名称、证件号、类型或所在地",
    "operator.change_returned": "没有同意{target}的变更申请",
    "operator.change_withdrawn": "撤回{target}的变更申请",
    "operator.suspended": "停用{target}",
    "operator.cancelled": "注销{target}",
    "operator.restored": "恢复{target}",
    "operator.certification_added": "为{target}登记认证",
    "operator.certification_changed": "修改{target}的认证",
    "operator.certification_confirmed": "核对{target}的认证",
    "operator.certification_withdrawn": "撤销{target}的认证",
    "operator.certification_file_read": "查看{target}的认证证书",
    "operator.identity_printed": "下载{target}的主体码牌",
    "operator.merged": "把{target}并入另一个主体",
    "operator.absorbed": "把另一个主体并入{target}",
    "operator.revealed": "查看{target}的完整联系方式",
    "operator.exported": "导出主体",
    "operator.holdings_taken": "下载{target}的全部信息",
    "operator.bases_exported": "导出{target}的基地和地块",
    "operator.member_added": "为{target}增加{role}",
    "operator.member_invited": "邀请{person}替{target}办事",
    "operator.invitation_withdrawn": "撤回给{person}的邀请，不再请他替{target}办事",
    "operator.invitation_declined": "没有同意替{target}办事的邀请",
    "operator.member_ended": "结束{person}在{target}的{role}身份",
    "operator.owner_changed": "把{target}的负责人由{before}交接给{person}",
    "operator.claimed": "认领{target}",
    "operator.claim_asked": "登记时和{target}相同，申请认领",
    "operator.claim_approved": "核实{target}的认领：是同一个",
    "operator.claim_revoked": "收回{target}的不实认领，信息恢复成导入时的",
    "operator.claim_closed": "{target}停用或注销，结束等待核实的认领",
    "operator.claim_returned": "核实{target}的认领：不是同一个",
    "origin.imported": "导入{target}",
    "origin.collected": "采集{target}",
    "origin.updated": "更新{target}的{fields}，等待审核",
    "origin.carried_over": "新一茬沿用上次内容：{target}",
    "origin.photo_added": "给{target}上传现场照片",
    "origin.photo_removed": "删除{target}的现场照片",
    "product.added": "增设本县产品：{target}",
    "product.changed": "修改本县产品：{target}",
    "product.ended": "停用本县产品：{target}",
    "origin.located": "定位{target}：待定位 → 待审核",
    "origin.changed": "改正{target}的{fields}：已退回 → 待审核",
    "origin.approved": "审核{target}：待审核 → 已通过",
    "origin.returned": "审核{target}：待审核 → 已退回",
    "origin.revealed": "查看{target}的完整联系方式",
    "origin.doubt_withdrawn": "撤下{target}的疑点",
    "origin.confirmed": "确认{target}无变化",
    "origin.collecting_ended": "把{target}标为不再种养",
    "origin.collecting_resumed": "撤销{target}的不再种养",
    "origin.sample_drawn": "从待审核的 {total} 条产地信息里抽查 {drawn} 条",
    "origin.sample_decided": "抽查 {drawn} 条产地信息，有问题 {wrong} 条，其余全部{verdict}",
    "origin.superseded": "有了新的记录，代替{target}",
    "origins.exported": "导出产地信息",
    "missed.waived": "{target}的{product}免采：{reason}",
    "missed.waiver_taken_back": "{target}的{product}取消免采",
    "missed.exported": "导出漏采主体",
    "origins.form_exported": "按附件 1 导出产地信息",
    "origins.wall_printed": "打印产地分布挂图",
    "dues.exported": "导出采集日历",
    "punctuality.exported": "导出采集及时率",
    "collection_terms.set": "设定{target}的采集期限",
    "outgoing.resent": "重发{target}",
    "contact.saved": "填写{target}的工作联系方式",
    "contact.reported": "上报{target}的工作联系方式",
    "contact.revealed": "查看{target}的完整联系方式",
    "contacts.exported": "导出工作联系方式",
    "rollout.exported": "导出推广进度",
    "rollout.target_set": "设定{target}的推广时限",
    "third_party.registered": "登记{target}",
    "third_party.changed": "修改{target}",
    "third_party.authorised": "授权{target}采集：{towns}，{from_on} 至 {to_on}",
    "third_party.revoked": "撤销{target}的采集授权",
    "third_party.agreement_read": "下载{target}的保密协议",
    "training.recorded": "登记{target}",
    "training.changed": "修改{target}的参训人员",
}
UNCHANGED = {
    "account.changed": "保存{target}，内容没有改动",
    "base.changed": "保存{target}，内容没有改动",
    "operator.changed": "保存{target}，内容没有改动",
    "origin.changed": "重新提交{target}，内容没有改动：已退回 → 待审核",
}
BY_NOBODY_KNOWN = {"account.failed", "account.code_failed", "account.text_code_failed", "account.refused"}
HIDDEN = {"changes", "photo", "correction", "import", "transfer", "operator", "size_bytes", "region", "unit"}
CHOICES: dict[str, dict[str, str]] = {
    "basis": dict(Basis.choices),
    "by": {"session": "网页", "phone": "短信验证码", "token": "接口"},
    "channel": dict(Channel.choices),
    "form": {"csv": "CSV", "xlsx": "Excel"},
    "kind": {**dict(Agency.Kind.choices), **dict(OperatorKind.choices)},
    "role": {**dict(Role.choices), **dict(OperatorMember.Role.choices)},
    "searched": {"True": "是", "False": "否"},
    "status": dict(Operator.Status.choices),
    "unit": dict(Unit.choices),
}
MODELS: dict[str, type[models.Model]] = {"base": Base, "operator": Operator, "origin": Origin, "user": User}
IN_HANDOUTS = {"unchanged": "已有", "changed": "只加了机构或职务"}
"""Counts that mean something else of a hand-out than of an import."""
NOTHING_DONE = {"last_row": "没有处理任何一行"}
"""Details whose zero is a sentence of its own."""
COUNTED = {"parts", "sources", "reached"}


@dataclass(frozen=True)
class Line:
    """One entry as a page shows it: the words before the record, the record, those behind it, what else is known."""

    entry: Entry
    before: str
    target: Target | None
    after: str
    further: str
    place: str

    @property
    def actor(self) -> str:
        """Who did it; empty for what the platform saw somebody do that it does not know."""
        return self.entry.actor_name or ("" if self.entry.action in BY_NOBODY_KNOWN else "系统")

    @property
    def sentence(self) -> str:
        """All but who and when, in one text."""
        named = f"{self.target.kind}“{self.target.name}”" if self.target else ""
        return f"{self.before}{named}{self.after}" + (f"（{self.further}）" if self.further else "")


def lines_of(entries: Sequence[Entry]) -> list[Line]:
    """The entries as sentences; one query for each kind of record and one for the places."""
    targets = targets_of(_key(entry) for entry in entries)
    places = paths_of(entry.region_code for entry in entries if entry.region_code)
    return [_line(entry, targets[_key(entry)], places.get(entry.region_code or 0, "")) for entry in entries]


def _key(entry: Entry) -> Key:
    return entry.target_kind, entry.target_id


def _line(entry: Entry, target: Target, place: str) -> Line:
    phrase = _phrase(entry)
    told = {name for _, name, _, _ in Formatter().parse(phrase) if name}
    words = {name: _value(entry, name, entry.details.get(name, "")) for name in told - {"target"}}
    before, named, after = phrase.partition("{target}")
    further = "，".join(
        _detail(entry, name, value)
        for name, value in entry.details.items()
        if name not in told | HIDDEN and value not in ("", None, [])
    )
    return Line(entry, before.format(**words), target if named else None, after.format(**words), further, place)


def _detail(entry: Entry, name: str, value: Any) -> str:
    if name in NOTHING_DONE and value == 0:
        return NOTHING_DONE[name]
    label = IN_HANDOUTS.get(name) if entry.target_kind == "handout" else None
    return f"{label or detail_label(name)} {_value(entry, name, value)}"


def _phrase(entry: Entry) -> str:
    if entry.action in UNCHANGED and not entry.details.get("fields"):
        return UNCHANGED[entry.action]
    return PHRASES.get(entry.action) or f"{action_label(entry.action)}{{target}}"


def _value(entry: Entry, name: str, value: Any) -> str:
    """A detail in the words of the trade."""
    if name == "fields" and isinstance(value, list):
        changes = entry.details.get("changes", {})
        return "、".join(_change(entry.target_kind, str(field), changes.get(field)) for field in value)
    if name == "quantity":
        return f"{quantity(Decimal(str(value)))} {CHOICES['unit'].get(str(entry.details.get('unit')), '')}".rstrip()
    if name in COUNTED and isinstance(value, list):
        return f"{len(value)} 个批次"
    if name == "towns" and isinstance(value, list):
        more = f"等 {len(value)} 个" if len(value) > NAMED else ""
        return "、".join(map(str, value[:NAMED])) + more
    if isinstance(value, list | dict):
        return f"{len(value)} 项"
    return CHOICES.get(name, {}).get(str(value), str(value))


NAMED = 5
"""So many places are named in a sentence; of more, how many they are."""


def _change(kind: str, field: str, values: list[Any] | None) -> str:
    """A field that was changed, with its values before and after where the entry has them: 行业（种植业 → 渔业）."""
    model = MODELS.get(kind)
    try:
        column = model._meta.get_field(field) if model else None
    except FieldDoesNotExist:
        column = None
    if not isinstance(column, models.Field):
        return detail_label(field)
    if values is None:
        return str(column.verbose_name)
    plain = column.base_field if isinstance(column, ArrayField) else column
    labels = {str(value): str(label) for value, label in plain.flatchoices}
    return f"{column.verbose_name}（{' → '.join(_values(value, labels) for value in values)}）"


def _values(value: Any, labels: dict[str, str]) -> str:
    several = value if isinstance(value, list) else [value]
    return "、".join(labels.get(str(one), str(one)) for one in several if one not in ("", None)) or "空"
