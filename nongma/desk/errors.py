"""The pages that say what went wrong and what to do next; none of them reads the database."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def _page(status: int, title: str, steps: tuple[str, ...]) -> HttpResponse:
    """A page without the frame: the frame needs the signed-in person, and so the database."""
    context = {"status": status, "title": title, "steps": steps}
    return HttpResponse(render_to_string("desk/error.html", context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(400, "这个请求不完整", ("返回上一页，刷新后再试一次", "仍然不行，请联系本级平台管理员"))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        403,
        "您的角色不能做这项操作",
        (
            "返回首页，查看您可以使用的功能",
            "如果工作需要，请联系本级平台管理员办理",
            "换了岗位，请退出后用新账号登录",
        ),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        404,
        "没有找到这个页面",
        ("检查网址或编号是否完整", "这条记录可能不在您的管辖范围内", "从首页或列表重新进入"),
    )


def too_large(request: HttpRequest | None) -> HttpResponse:
    return _page(413, "文件太大", ("把表格按乡镇分成几个文件，分别上传", "删去表格里的图片和多余的工作表再试"))


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(
        500,
        "平台出错了",
        ("您填写的内容没有保存，请稍后重试", "多次出现，请把时间和所在页面告诉平台管理员"),
    )


def expired_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token did not match (CSRF): nearly always a page left open too long, or cookies turned off."""
    return _page(
        403,
        "页面已过期，这次操作没有执行",
        ("返回上一页，刷新后重新提交", "重新登录再试", "浏览器须允许本网站使用 Cookie"),
    )
