#!/bin/sh
# Installs what the steps of the deployment test need, beyond what the other tests do; the steps start their servers themselves.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin
missing=
need() { # PACKAGE COMMAND...: the package is needed unless the command succeeds
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
need curl command -v curl
need openssl command -v openssl
need nginx-light command -v nginx
need apache2 command -v apache2
need libapache2-mod-fcgid test -e /usr/lib/apache2/modules/mod_fcgid.so
need uwsgi-core command -v uwsgi
need spawn-fcgi command -v spawn-fcgi
need systemd command -v systemd-analyze
need postfix command -v postfix
need dovecot-imapd ls /usr/lib/dovecot/imap
need dovecot-pop3d ls /usr/lib/dovecot/pop3
need getmail6 command -v getmail
need fetchmail command -v fetchmail
need sqlite3 command -v sqlite3
need systemd-container command -v systemd-nspawn
need iproute2 command -v ip
need cron command -v cron
need man-db command -v man
need python3-aiosmtpd /usr/bin/python3 -c "import aiosmtpd"

# The steps that boot a system take packages by the names that the guide has.
for package in nginx postgresql postgresql-client; do
    need "$package" dpkg -s "$package"
done

# What makes the package: two or three minutes, once, so only for those who try it: `setup.sh all`.
if [ "${1:-}" = all ] && ! command -v cargo-deb >/dev/null && [ ! -x target/tools/bin/cargo-deb ]; then
    echo "installing: cargo-deb"
    cargo install --quiet --locked --root target/tools cargo-deb || echo "could not be installed: cargo-deb"
fi

[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "missing, and it takes root and apt-get to install it:$missing"
    exit 0
fi
echo "installing:$missing"
# A freshly installed server would start at once.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq || echo "the package lists could not be updated"
for package in $missing; do
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" </dev/null >/dev/null ||
        echo "could not be installed: $package"
done
