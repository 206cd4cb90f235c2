#!/bin/sh
# Make the virtual environment from a lock file. Safe to run again after an interruption: the stamp is written last.
set -eu
lock=$1
python=${PYTHON:-python3}
cd "$(dirname "$0")/.."

command -v "$python" >/dev/null 2>&1 || {
    echo "nongma: 找不到 $python。请先安装 Python 3.11 或更新版本（Debian/Ubuntu: apt install python3 python3-venv）" >&2
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "nongma: $("$python" --version) 太旧，需要 Python 3.11 或更新版本；可用 make PYTHON=python3.12 指定" >&2
    exit 1
}

stamp=".venv/$(basename "$lock").done"
wanted=$(cat "$lock" pyproject.toml | cksum)
dev=".venv/requirements-dev.lock.done"
if [ -x .venv/bin/python ]; then
    # The development set holds the runtime set, so either stamp will do for it.
    for file in "$stamp" "$dev"; do
        [ -f "$file" ] || continue
        [ "$file" = "$stamp" ] || wanted_here=$(cat requirements-dev.lock pyproject.toml | cksum)
        [ "$(cat "$file")" = "${wanted_here:-$wanted}" ] && exit 0
    done
fi

echo "nongma: 准备 Python 环境（首次约一两分钟）…"
if ! .venv/bin/python -c 'import pip' >/dev/null 2>&1; then
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 || {
        # Debian leaves ensurepip to python3-venv; the system's own pip can fill the environment as well.
        rm -rf .venv
        "$python" -m venv --without-pip .venv &&
            "$python" -m pip --python .venv/bin/python install --quiet pip setuptools 2>/dev/null || {
            rm -rf .venv
            echo "nongma: 建不了虚拟环境。请安装 python3-venv（Debian/Ubuntu: apt install python3-venv）后再运行" >&2
            exit 1
        }
    }
fi
# One line of progress in place of pip's many; what it says of errors is kept.
rm -f .venv/pip.failed
{ .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r "$lock" 2>&1 || : > .venv/pip.failed; } |
    awk -v total="$(grep -c '^[A-Za-z0-9]' "$lock")" '
        /^(Collecting|Requirement already)/ { if (++n % 10 == 0) printf "nongma:   依赖 %d / 约 %d\n", n, total; fflush() }
        /^Installing collected/ { print "nongma:   安装 …"; fflush() }
        /^ *(ERROR|error)|THESE PACKAGES DO NOT MATCH|Could not|Retrying/ { print; fflush() }'
if [ -f .venv/pip.failed ]; then
    echo "nongma: 安装依赖没有成功（上面有原因，多半是网络）。再运行一次会接着做" >&2
    exit 1
fi
# The package itself: a path entry and a launcher, so that no build step is needed.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
pwd > "$site/nongma-checkout.pth"
printf '#!%s/.venv/bin/python\nimport sys\nfrom nongma.cli import main\nsys.exit(main())\n' "$(pwd)" > .venv/bin/nongma
chmod +x .venv/bin/nongma
echo "$wanted" > "$stamp"
