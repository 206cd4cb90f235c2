#!/bin/sh
# The browser that browser tests drive: Debian's Chromium. Without it they are left out, loudly; in CI that is a failure.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
echo "nongma: 安装浏览器测试用的 Chromium …"
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq chromium fonts-noto-cjk; } \
    >/dev/null 2>&1 && command -v chromium >/dev/null 2>&1; then
    exit 0
fi
echo "################################################################################" >&2
echo "#  没有 Chromium，也装不上：浏览器测试不会运行。                               #" >&2
echo "#  请用管理员身份安装：apt install chromium fonts-noto-cjk                     #" >&2
echo "################################################################################" >&2
[ "${CI:-}" != true ]
