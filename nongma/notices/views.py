from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from nongma.accounts.access import Action, SignedInRequest, requires
from nongma.accounts.proof import is_proved, prove_first
from nongma.accounts.services.people import change_person
from nongma.lib.forms import show_refusal
from nongma.lib.pages import CappedPaginator
from nongma.lib.refused import Refused
from nongma.notices.forms import ChannelsForm, ContactForm, NoticeFilter, SentFilter
from nongma.notices.models import Notice, Outgoing, Preference
from nongma.notices.queries import messages_of, notices_of
from nongma.notices.sending import send_again
from nongma.notices.services import choose_channels, mark_all_read, mark_read

A_PAGE = 20
SENT_A_PAGE = 50


@requires(Action.SIGNED_IN)
@never_cache
@require_GET
def notices(request: SignedInRequest) -> HttpResponse:
    """我的提醒，新的在前。"""
    form = NoticeFilter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = notices_of(request.user, **wanted)
    page = CappedPaginator(found, found, A_PAGE).get_page(request.GET.get("page"))
    newest = page.object_list[0] if page.number == 1 and page.object_list else None
    context = {
        "form": form,
        "page": page,
        "newest": newest,
        "is_filtered": bool(wanted.get("kind") or wanted.get("unread")),
        "kind": wanted.get("kind", ""),
    }
    return render(request, "notices/list.html", context)


@requires(Action.SIGNED_IN)
@require_POST
def open_notice(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """读过了，去它说的那一页。"""
    notice = get_object_or_404(Notice.objects.visible_to(request.user), uid=uid)
    mark_read(notice=notice, actor=request.user)
    return redirect(notice.url or "notices:list")


@requires(Action.SIGNED_IN)
@require_POST
def read(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """标为已读，留在这一页。"""
    notice = get_object_or_404(Notice.objects.visible_to(request.user), uid=uid)
    mark_read(notice=notice, actor=request.user)
    return redirect(_back(request))


@requires(Action.SIGNED_IN)
@require_POST
def read_all(request: SignedInRequest) -> HttpResponse:
    """页面上看到的这些和更早的，都标为已读。"""
    form = NoticeFilter(request.POST)
    kind = form.cleaned_data["kind"] if form.is_valid() else ""
    count = mark_all_read(actor=request.user, kind=kind, until=_uid(request.POST.get("until", "")))
    if count:
        messages.success(request, f"{count} 条提醒已标为已读")
    return redirect(_back(request))


@requires(Action.SIGNED_IN)
@never_cache
@require_http_methods(["GET", "POST"])
def settings(request: SignedInRequest) -> HttpResponse:
    """除了在平台上看，还用什么方式接收。"""
    form = _channels_form(request, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            choose_channels(actor=request.user, chosen=form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "提醒方式已保存")
            return redirect("notices:settings")
    return render(request, "notices/settings.html", {"form": form, "contact": _contact_form(request)})


@requires(Action.SIGNED_IN)
@never_cache
@sensitive_post_parameters()
@require_POST
def contact(request: SignedInRequest) -> HttpResponseBase:
    """自己的手机号和邮箱；以后验证码也发到这里，所以要先输一次密码。"""
    if not is_proved(request):
        return prove_first(request, lambda: _change_contact(request))
    return _change_contact(request)


@requires(Action.VIEW_AUDIT)
@never_cache
@require_GET
def sent(request: SignedInRequest) -> HttpResponse:
    """辖区内人员的短信、邮件：发给谁（只显示一部分）、结果、试了几次。"""
    form = SentFilter(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = messages_of(request.user, wanted)
    page = CappedPaginator(found, found, SENT_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "notices/sent.html", {"form": form, "page": page, "is_filtered": any(wanted.values())})


@requires(Action.MANAGE_ACCOUNTS)
@require_POST
def again(request: SignedInRequest, uid: UUID) -> HttpResponse:
    """发送失败的，再发一次。"""
    outgoing = get_object_or_404(Outgoing.objects.visible_to(request.user), uid=uid)
    try:
        send_again(outgoing=outgoing, actor=request.user)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"发给 {outgoing.masked} 的消息已重新排队")
    return redirect(_back(request, "notices:sent"))


def _back(request: HttpRequest, view: str = "notices:list") -> str:
    """The list as it was narrowed, else the whole list."""
    url = request.POST.get("next", "")
    home = reverse(view)
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if is_ours and url.partition("?")[0] == home else home


def _change_contact(request: SignedInRequest) -> HttpResponse:
    form = _contact_form(request, request.POST)
    user = request.user
    if form.is_valid():
        try:
            change_person(user=user, name=user.name, actor=user, **form.cleaned_data)
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "手机号和邮箱已保存")
            return redirect("notices:settings")
    return render(request, "notices/settings.html", {"form": _channels_form(request), "contact": form})


def _contact_form(request: SignedInRequest, data: QueryDict | None = None) -> ContactForm:
    return ContactForm(data, initial={"phone": request.user.phone, "email": request.user.email})


def _channels_form(request: SignedInRequest, data: QueryDict | None = None) -> ChannelsForm:
    preference = Preference.objects.filter(user=request.user).first()
    return ChannelsForm(data, user=request.user, preference=preference)


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
