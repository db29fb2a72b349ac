#!/bin/sh
# Installs the Debian packages that a ring of tests needs: "test", "clients" or "bench". Where it may not (no root,
# no apt) it names what is missing; the tests that need it are then skipped by name, or fail with CI=true.
set -eu

installed() {
    dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

# Any PostgreSQL with PostGIS serves; Debian 12 has 15 and 3.
has_postgis() {
    for binary in /usr/lib/postgresql/*/bin/postgres; do
        version=${binary#/usr/lib/postgresql/}
        version=${version%%/*}
        [ -x "$binary" ] && [ -f "/usr/share/postgresql/$version/extension/postgis.control" ] && return 0
    done
    return 1
}

newest_postgis() {
    apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' | sort --version-sort | tail -n 1 | cut -d ' ' -f 1
}

missing() {
    case $1 in
        test)
            has_postgis || echo postgis
            command -v chromium >/dev/null || installed chromium || echo chromium
            ;;
        clients)
            command -v ogrinfo >/dev/null || echo gdal-bin
            /usr/bin/python3 -c 'import qgis.core' 2>/dev/null || echo python3-qgis
            command -v xvfb-run >/dev/null || echo xvfb
            ;;
        bench)
            command -v qgis_mapserver >/dev/null || echo qgis-server-bin
            /usr/bin/python3 -c 'import qgis.core' 2>/dev/null || echo python3-qgis
            command -v mapserv >/dev/null || echo mapserver-bin
            ;;
        *)
            echo "usage: $0 test|clients|bench" >&2
            exit 2
            ;;
    esac
}

wanted=$(missing "$1")
[ -n "$wanted" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Thiếu gói Debian:" $wanted "— hãy cài bằng quyền quản trị; các kiểm thử cần chúng sẽ bị bỏ qua." >&2
    exit 0
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! apt-get update >"$log" 2>&1; then
    cat "$log" >&2
fi
packages=
for name in $wanted; do
    if [ "$name" = postgis ]; then
        name=$(newest_postgis)
        name="${name:-postgresql-15-postgis-3} $(echo "${name:-postgresql-15-postgis-3}" | sed 's/-postgis-3$//')"
    fi
    packages="$packages $name"
done
echo "Cài gói Debian:$packages" >&2
# shellcheck disable=SC2086
if ! apt-get install --yes --no-install-recommends $packages >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "Không cài được:$packages" >&2
fi
