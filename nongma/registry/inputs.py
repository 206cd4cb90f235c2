"""What a registration asks for, by name (登记项目)."""

INPUTS = {
    "kinds": "主体类型",
    "name": "名称",
    "region": "所在地",
    "address": "详细地址",
    "industries": "所属行业",
    "contact": "联系人",
    "phone": "手机",
    "uscc": "统一社会信用代码",
    "id_number": "身份证号",
    "point": "位置",
}
"""The inputs of a registration that a reviewer may find fault with, and their names."""
