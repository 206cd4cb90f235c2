"""Reading the environment: every value checked, a bad one stops the start with a clear line."""

import ipaddress
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class BadEnvironment(SystemExit):
    """A setting that can't be used; the text says which, why and what to do."""


def text(name: str, default: str = "") -> str:
    """The value of `name`, or of the file that `<name>_FILE` names."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadEnvironment(f"{name}_FILE={path}: 读不到这个文件（{error.strerror}）") from None
    return os.environ.get(name, default)


def flag(name: str, default: bool) -> bool:
    """A yes/no setting: 1/0, true/false, yes/no, on/off."""
    value = text(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise BadEnvironment(f"{name}={value}: 只能是 1 或 0")


def address(name: str, default: str) -> str:
    """An IP address to listen on."""
    value = text(name, default)
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise BadEnvironment(f"{name}={value}: 要一个 IP 地址，如 127.0.0.1 或 0.0.0.0") from None


def number(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number between `low` and `high`, both included."""
    value = text(name, str(default))
    if not value.isascii() or not value.isdecimal() or not low <= int(value) <= high:
        raise BadEnvironment(f"{name}={value}: 要一个 {low} 到 {high} 之间的整数")
    return int(value)


def choice(name: str, default: str, *, among: tuple[str, ...]) -> str:
    """One of a few words."""
    value = text(name, default).lower()
    if value not in among:
        raise BadEnvironment(f"{name}={value}: 只能是 {'、'.join(among)} 之一")
    return value


def names(name: str) -> list[str]:
    """A list by commas."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Addresses and networks by commas: 10.0.0.1,192.168.0.0/24."""
    try:
        return [ipaddress.ip_network(part) for part in names(name)]
    except ValueError as error:
        raise BadEnvironment(f"{name}: 要 IP 地址或网段，逗号分开，如 10.0.0.1,192.168.0.0/24（{error}）") from None


def endpoint(name: str) -> str:
    """The address of an outside service: https, or http on this machine itself; empty when there is none."""
    value = text(name)
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadEnvironment(f"{name}: 不是网址") from None
    if not host or parts.username or parts.fragment:
        raise BadEnvironment(f"{name}: 要完整的网址，不带用户名和 # 部分，如 https://sms.example.gov.cn/send")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise BadEnvironment(f"{name}: 要以 https:// 开头；只有本机（127.0.0.1、localhost）可以用 http://")
    return value


def together(name: str, other: str) -> None:
    """Refuse one of two settings that stands without the other."""
    if bool(text(name)) != bool(text(other)):
        missing, given = (other, name) if text(name) else (name, other)
        raise BadEnvironment(f"{missing}: 没有填；它和 {given} 要一起填")


def json_template(name: str, default: str) -> dict[str, object]:
    """A JSON object whose texts hold places to be filled: {"to": "{phone}"}."""
    try:
        value = json.loads(text(name, default))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BadEnvironment(
            f'{name}: 要一个 JSON 对象，如 {{"id": "{{id}}", "phone": "{{phone}}", "text": "{{text}}"}}'
        )
    return value


def mail_server(name: str) -> dict[str, Any]:
    """Django's options for `smtps://user:password@host:465` or `smtp://…:587` (STARTTLS, not on this machine)."""
    value = text(name)
    if not value:
        return {}
    hint = "要写成 smtps://用户:密码@主机:465 或 smtp://用户:密码@主机:587"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise BadEnvironment(f"{name} 的端口不是数字，{hint}") from None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise BadEnvironment(f"{name} 不能用，{hint}")
    is_tls = parts.scheme == "smtps"
    return {
        "host": parts.hostname,
        "port": port or (465 if is_tls else 587),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": is_tls,
        "use_tls": not is_tls and not _is_loopback(parts.hostname),
    }


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def own_names(host: str, public_url: str) -> list[str]:
    """The host names that a platform answers to when none are given: its public one and this machine's.

    One that listens on every address can't know by which it is reached: it answers to all.
    """
    if ipaddress.ip_address(host).is_unspecified:
        return ["*"]
    public = urlsplit(public_url).hostname or host
    return list(dict.fromkeys([public, host, "localhost", "127.0.0.1", "[::1]"]))


def database(url: str) -> dict[str, object]:
    """Django's settings for `postgresql://user:password@host:port/name?option=value`."""
    parts = urlsplit(url)
    hint = "要写成 postgresql://用户:密码@主机:5432/库名"
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadEnvironment(f"DATABASE_URL 的开头是“{parts.scheme}”，{hint}")
    try:
        port = parts.port
    except ValueError:
        raise BadEnvironment(f"DATABASE_URL 的端口不是数字，{hint}") from None
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise BadEnvironment(f"DATABASE_URL 没有库名，{hint}")
    host = dict(parse_qsl(parts.query)).get("host", parts.hostname or "")
    return {
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
    }


def database_options(url: str, connections: int = 0) -> dict[str, object]:
    """What else libpq is told, from the URL's query, and the pool's size where there is a pool."""
    options: dict[str, object] = {name: value for name, value in parse_qsl(urlsplit(url).query) if name != "host"}
    if connections:
        options["pool"] = {"min_size": 1, "max_size": connections, "timeout": 10}
    return options
