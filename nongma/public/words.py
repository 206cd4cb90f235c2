"""The words of the shopper's page, in Chinese and in English."""

from nongma.catalogue.models import Unit
from nongma.certificates.models import Certificate
from nongma.codes.models import CodeRange
from nongma.origins.models import Origin
from nongma.public.negotiation import Language
from nongma.public.queries import State
from nongma.registry.models import Certification, Operator
from nongma.tracing.models import Lot, TraceEvent

Words = dict[str, str]

GOOD, DOUBT, BAD = "good", "doubt", "bad"
ICONS = {GOOD: "✓", DOUBT: "!", BAD: "✕"}

TONES: dict[str, str] = {
    State.VALID: GOOD,
    State.FROZEN: DOUBT,
    State.PENDING: DOUBT,
    State.SUSPENDED: DOUBT,
    State.RECALLED: BAD,
    State.REVOKED: BAD,
    State.VOID: BAD,
    State.CANCELLED: BAD,
    State.CLOSED: DOUBT,
    "uncertified": DOUBT,
    "false": BAD,
    "unknown": DOUBT,
    "malformed": DOUBT,
    "ask": DOUBT,
    "busy": DOUBT,
    "error": DOUBT,
}

# State or page: what the banner says, and what it means for whoever holds the produce.
BANNERS: dict[Language, dict[str, tuple[str, str]]] = {
    Language.CHINESE: {
        State.VALID: ("合格证有效", "生产者对这批农产品的质量安全作出了承诺。"),
        "operator": ("主体已登记", "该主体的登记信息已通过审核。"),
        "base": ("基地已登记", "该基地所属主体的登记信息已通过审核。"),
        "uncertified": ("来源可查，未开合格证", "这批农产品已登记来源，还没有开具承诺达标合格证。"),
        State.FROZEN: ("暂停销售", "这批农产品正在核查，结果出来前请不要购买、食用。"),
        State.RECALLED: ("已召回，请勿食用", "生产者已召回这批农产品，请停止食用并联系销售者退货。"),
        State.REVOKED: ("合格证已作废", "这张合格证已经作废，不能再证明这批农产品合格。"),
        State.VOID: ("此码已作废", "发码单位已作废此码，贴有此码的产品来源不明，请不要购买。"),
        State.PENDING: ("登记信息待审核", "该主体的登记信息还没有通过审核。"),
        State.SUSPENDED: ("主体已停用", "该主体目前不能开具合格证。"),
        State.CANCELLED: ("主体已注销", "该主体已经注销，不应再有新的产品使用此码。"),
        State.CLOSED: ("基地已停用", "该基地已经不再使用，不应再有新的产品使用此码。"),
        "false": ("假码", "这不是本平台发出的码，可能是伪造的。请不要购买，并拨打下面的电话举报。"),
        "unknown": ("查无此码", "此码格式正确，但没有发给任何产品。请核对包装上的 20 位数字。"),
        "malformed": ("不是农码", "农码是 20 位数字。请重新扫码，或者在下面输入包装上的数字。"),
        "ask": ("查一查农码", "输入包装上的 20 位数字，看看它从哪里来。"),
        "busy": ("暂时查不到", "系统正忙，请过一会儿再扫一次。"),
        "error": ("查询出错", "系统出了问题，已经记录。请过一会儿再扫一次。"),
    },
    Language.ENGLISH: {
        State.VALID: ("Certificate valid", "The grower has promised in writing that this produce is safe."),
        "operator": ("Registered operator", "The operator's registration has been reviewed."),
        "base": ("Registered base", "The registration of this base's operator has been reviewed."),
        "uncertified": ("Traceable, no certificate yet", "Its source is registered; no certificate has been issued."),
        State.FROZEN: (
            "Sale on hold",
            "This produce is being checked. Do not buy or eat it until that is done.",
        ),
        State.RECALLED: ("Recalled, do not eat", "The producer has recalled this produce. Return it to the seller."),
        State.REVOKED: (
            "Certificate revoked",
            "This certificate was revoked and no longer vouches for the produce.",
        ),
        State.VOID: ("Code void", "The issuer has voided this code. Do not buy a product that carries it."),
        State.PENDING: ("Registration not reviewed", "The operator's registration has not been reviewed yet."),
        State.SUSPENDED: ("Operator suspended", "This operator may not issue certificates at present."),
        State.CANCELLED: ("Operator closed", "This operator is closed; no new product should carry its code."),
        State.CLOSED: ("Base closed", "This base is no longer in use; no new product should carry its code."),
        "false": (
            "False code",
            "This platform never made this code; it may be forged. Do not buy; call us.",
        ),
        "unknown": ("Code not on file", "The code is well formed but was issued for nothing. Check its 20 digits."),
        "malformed": ("Not a Nongma code", "A code has 20 digits. Scan again, or type the digits from the package."),
        "ask": ("Look up a code", "Type the 20 digits from the package to see where it comes from."),
        "busy": ("Can't look it up now", "The system is busy. Please scan again in a moment."),
        "error": ("Something went wrong", "The fault is recorded. Please scan again in a moment."),
    },
}

WORDS: dict[Language, Words] = {
    Language.CHINESE: {
        "lang": "zh-CN",
        "separator": "、",
        "title": "农码",
        "other": "English",
        "other_code": "en",
        "reason": "原因",
        "product": "产品",
        "alias": "别名",
        "quantity": "数量",
        "made_on": "日期",
        "lot": "批次码",
        "grower": "生产者",
        "issuer": "开具者",
        "operator": "主体",
        "kinds": "类型",
        "contact": "联系人",
        "phone": "电话",
        "products": "产品",
        "origin": "产地",
        "base": "基地",
        "area": "面积",
        "mu": "亩",
        "varieties": "品种",
        "measures": "技术措施",
        "methods": "生产方式",
        "certifications": "产品认证",
        "held": "持有的认证",
        "held_kind": "认证",
        "held_number": "证书编号",
        "held_until": "有效期至",
        "held_open": "长期",
        "held_unconfirmed": "由主体登记，平台未核验",
        "office": "工作人员入口",
        "map": "产地位置示意（约一公里）",
        "certificate": "承诺达标合格证",
        "promise": "承诺",
        "basis": "承诺依据",
        "issued_on": "开具日期",
        "revoked_on": "作废日期",
        "certificate_code": "合格证码",
        "signature": "数字签名",
        "signature_good": "✓ 验证通过，内容未被改动",
        "signature_bad": "✕ 验证不通过，内容可能被改动",
        "journey": "追溯过程",
        "scanned": "此码已被查询 {count} 次，首次 {first}。",
        "scanned_once": "这是此码第一次被查询。",
        "many": "{count} 次以上",
        "times": "{count}",
        "complain": "投诉举报",
        "complain_text": "发现假冒、超标或与页面不符，请拨打：",
        "code": "码",
        "type_code": "20 位数字",
        "look": "查询",
        "footer": "页面由生产者和监管部门登记的信息生成。",
    },
    Language.ENGLISH: {
        "lang": "en",
        "separator": ", ",
        "title": "Nongma",
        "other": "中文",
        "other_code": "zh",
        "reason": "Reason",
        "product": "Product",
        "alias": "Also called",
        "quantity": "Quantity",
        "made_on": "Date",
        "lot": "Lot code",
        "grower": "Grower",
        "issuer": "Issued by",
        "operator": "Operator",
        "kinds": "Kind",
        "contact": "Contact",
        "phone": "Phone",
        "products": "Products",
        "origin": "Origin",
        "base": "Base",
        "area": "Area",
        "mu": "mu",
        "varieties": "Varieties",
        "measures": "How it is grown",
        "methods": "Grown",
        "certifications": "Certifications",
        "held": "Certifications held",
        "held_kind": "Certification",
        "held_number": "Number",
        "held_until": "Valid until",
        "held_open": "no end",
        "held_unconfirmed": "Stated by the operator, not checked by the platform",
        "office": "For officers",
        "map": "Where it was grown, to about a kilometre",
        "certificate": "Commitment certificate",
        "promise": "Promise",
        "basis": "Basis",
        "issued_on": "Issued on",
        "revoked_on": "Revoked on",
        "certificate_code": "Certificate code",
        "signature": "Signature",
        "signature_good": "✓ verified, nothing was altered",
        "signature_bad": "✕ does not verify, something may have been altered",
        "journey": "Journey",
        "scanned": "Looked up before: {count}, first on {first}.",
        "scanned_once": "This code is looked up for the first time.",
        "many": "more than {count}",
        "times": "{count}",
        "complain": "Complaints",
        "complain_text": "Fake, unsafe, or not what this page says? Call:",
        "code": "Code",
        "type_code": "20 digits",
        "look": "Look up",
        "footer": "Made from what the grower and the authorities have on file.",
    },
}

CERTIFICATE_STATES: dict[Language, Words] = {
    Language.CHINESE: {state.value: str(state.label) for state in Certificate.State},
    Language.ENGLISH: {
        Certificate.State.VALID: "valid",
        Certificate.State.REVOKED: "revoked",
        Certificate.State.RECALLED: "lot recalled",
        Certificate.State.FROZEN: "lot on hold",
    },
}

KINDS: dict[Language, Words] = {
    Language.CHINESE: {
        CodeRange.Kind.OPERATOR: "主体码",
        CodeRange.Kind.BASE: "基地码",
        CodeRange.Kind.LOT: "批次码",
        CodeRange.Kind.CERTIFICATE: "合格证码",
        CodeRange.Kind.ITEM: "单品码",
    },
    Language.ENGLISH: {
        CodeRange.Kind.OPERATOR: "Operator code",
        CodeRange.Kind.BASE: "Base code",
        CodeRange.Kind.LOT: "Lot code",
        CodeRange.Kind.CERTIFICATE: "Certificate code",
        CodeRange.Kind.ITEM: "Item code",
    },
}

UNITS: dict[Language, Words] = {
    Language.CHINESE: {unit.value: str(unit.label) for unit in Unit},
    Language.ENGLISH: {
        Unit.MU: "mu",
        Unit.HEAD: "head",
        Unit.BIRD: "birds",
        Unit.HIVE: "hives",
        Unit.KILOGRAM: "kg",
        Unit.TONNE: "t",
        Unit.PIECE: "pieces",
        Unit.EGG: "eggs",
        Unit.FISH: "fish",
        Unit.BOX: "boxes",
    },
}

OPERATOR_KINDS: dict[Language, Words] = {
    Language.CHINESE: {kind.value: str(kind.label) for kind in Operator.Kind},
    Language.ENGLISH: {kind.value: kind.value.replace("_", " ") for kind in Operator.Kind},
}

METHODS: dict[Language, Words] = {
    Language.CHINESE: {method.value: str(method.label) for method in Origin.Method},
    Language.ENGLISH: {Origin.Method.OPEN_FIELD: "open field", Origin.Method.PROTECTED: "protected"},
}

CERTIFICATIONS: dict[Language, Words] = {
    Language.CHINESE: {held.value: str(held.label) for held in Origin.Certification},
    Language.ENGLISH: {
        Origin.Certification.GREEN: "Green Food",
        Origin.Certification.ORGANIC: "organic",
        Origin.Certification.GEOGRAPHICAL: "geographical indication",
        Origin.Certification.OTHER: "other",
    },
}

LOT_KINDS: dict[Language, Words] = {
    Language.CHINESE: {kind.value: f"{kind.label}日期" for kind in Lot.Kind},
    Language.ENGLISH: {
        Lot.Kind.HARVEST: "Harvested on",
        Lot.Kind.PURCHASE: "Bought on",
        Lot.Kind.MIX: "Mixed on",
        Lot.Kind.SPLIT: "Divided on",
        Lot.Kind.PACK: "Packed on",
        Lot.Kind.PROCESS: "Processed on",
    },
}

STEPS: dict[Language, Words] = {
    Language.CHINESE: {step.value: str(step.label) for step in TraceEvent.Step},
    Language.ENGLISH: {
        TraceEvent.Step.HARVESTED: "Harvested",
        TraceEvent.Step.SPLIT: "Divided",
        TraceEvent.Step.MIXED: "Mixed",
        TraceEvent.Step.SOLD: "Sold",
        TraceEvent.Step.BOUGHT: "Bought",
        TraceEvent.Step.CERTIFIED: "Certificate issued",
        TraceEvent.Step.REVOKED: "Certificate revoked",
        TraceEvent.Step.FROZEN: "Put on hold",
        TraceEvent.Step.UNFROZEN: "Hold lifted",
        TraceEvent.Step.RECALLED: "Recalled",
    },
}

# The basis and the promise in English are translations for the reader; the words that were signed are the Chinese ones.
BASES: Words = {
    "quality_control": "quality control meets the requirements",
    "self_test": "passed the grower's own test",
    "commissioned_test": "passed a commissioned test",
}
PROMISES: Words = {
    "未使用禁用农药、兽药及其他化合物": "No banned pesticide, veterinary drug or other compound was used",
    "使用的常规农药、兽药残留不超标": "Residues of the pesticides and drugs used are within the limits",
    "已按规定收取并保存该批次农产品承诺达标合格证或者其他质量安全合格证明": (
        "The certificates of the produce bought were collected and are kept"
    ),
    "未违规使用保鲜剂、防腐剂、添加剂等": "No preservative or additive was used against the rules",
    "不使用禁用农药兽药、停用兽药和非法添加物": "No banned pesticide, drug or illegal additive is used",
    "常规农药兽药残留不超标": "Residues of ordinary pesticides and drugs are within the limits",
    "对承诺的真实性负责": "The promise is true, and the grower answers for it",
}

HELD: dict[Language, Words] = {
    Language.CHINESE: {kind.value: str(kind.label) for kind in Certification.Kind},
    Language.ENGLISH: {
        Certification.Kind.GREEN: "Green Food",
        Certification.Kind.ORGANIC: "Organic",
        Certification.Kind.GEOGRAPHICAL: "Geographical indication",
        Certification.Kind.NOTABLE: "Famous, special, high-quality and new produce",
        Certification.Kind.GAP: "Good Agricultural Practice (GAP)",
        Certification.Kind.OTHER: "Other",
    },
}
