# The package: looked over, installed where systemd runs, upgraded over itself, removed and purged.
. "$here/boot.sh"
needs dpkg-deb
package
[ -n "$DEB" ] || { skip "cargo-deb is not installed: cargo install cargo-deb"; exit 0; }
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)

# What checkers of packages look at.
dpkg-deb -R "$DEB" "$WORK/tree"
field() { dpkg-deb -f "$DEB" "$1"; }
same "Version" "$(field Version)" "$version-1"
same "Architecture" "$(field Architecture)" "$(dpkg --print-architecture)"
[[ $(field Depends) == *libc6* ]] || fail "Depends: $(field Depends)"
[[ $(field Depends) != *python* ]] || fail "it wants Python"
same "conffiles" "$(cat "$WORK/tree/DEBIAN/conffiles")" /etc/patchwork/patchwork.toml
listed=$(dpkg-deb -c "$DEB")
same "files of others than root" "$(grep -vcE ' (root/root|0/0) ' <<<"$listed")" 0
odd=$(grep -vE '^(drwxr-xr-x|-rw-r--r--|lrwxrwxrwx) |^-rwxr-xr-x .* \./usr/(bin/|share/patchwork/git/post-receive)|^-rw-r----- .* \./etc/patchwork/' <<<"$listed" || true)
same "odd modes" "$odd" ""
same "places" "$(grep -o ' \./[^/]*/[^/]*/' <<<"$listed" | sort -u | tr -d ' \n')" ./etc/patchwork/./usr/bin/./usr/lib/./usr/share/
for script in postinst prerm postrm; do
    sh -n "$WORK/tree/DEBIAN/$script" || fail "$script"
    grep -q '^set -e' "$WORK/tree/DEBIAN/$script" || fail "$script goes on after a failure"
    ! grep -q '#DEBHELPER#' "$WORK/tree/DEBIAN/$script" || fail "$script is not complete"
done
for page in "$WORK"/tree/usr/share/man/man1/*; do
    [[ $page == *.1.gz ]] && gzip -t "$page" || fail "$page"
done
for command in $("$PATCHWORK" --help | sed -n '/^Commands:/,/^Options:/s/^  \([a-z-]\+\).*/\1/p'); do
    [ "$command" = help ] || [ -e "$WORK/tree/usr/share/man/man1/patchwork-$command.1.gz" ] || fail "no page of $command"
done
doc=$WORK/tree/usr/share/doc/patchwork
grep -q 'GPL-2.0-or-later' "$doc/copyright" && grep -q /usr/share/common-licenses/GPL-2 "$doc/copyright" || fail "copyright"
gzip -dc "$doc/changelog.Debian.gz" | head -n 1 | grep -q "^patchwork ($version-1)" || fail "changelog"
said=$(grep -rlE '/opt/patchwork/bin|/usr/local' "$WORK/tree/usr/share/patchwork" "$WORK/tree/usr/lib" || true)
same "samples with other paths" "$said" ""
for unit in "$WORK"/tree/usr/lib/systemd/system/*; do
    sed -i 's|/usr/bin/patchwork|/bin/true|' "$unit"
    said=$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1 | grep -F "$WORK" || true)
    same "${unit##*/}" "$said" ""
done
ok "the package: names, modes, conffiles, scripts, copyright, changelog; $(ls "$WORK"/tree/usr/share/man/man1 | wc -l) manual pages, $(ls "$WORK"/tree/usr/lib/systemd/system | wc -l) units, samples for /usr/bin"
if command -v lintian >/dev/null; then
    lintian --fail-on error "$DEB" >&2 || fail "lintian"
    ok "lintian has no errors"
else
    skip "lintian is not installed"
fi

node one
install -m 644 "$DEB" "$WORK/one/shared/patchwork.deb"
package 2
install -m 644 "$DEB" "$WORK/one/shared/patchwork-2.deb"
cat >"$WORK/one/shared/lib.sh" <<'IN'
set -eu
export DEBIAN_FRONTEND=noninteractive
die() { echo "$*"; journalctl -u 'patchwork*' --no-pager -n 20; exit 1; }
is() { [ "$2" = "$3" ] || die "$1: '$2' instead of '$3'"; }
# Every file but those that any package and every start of a system changes.
files() {
    find /etc /usr /var /opt /srv \( -path /var/log -o -path /var/cache -o -path /var/tmp -o -path /var/lib/dpkg -o -path /var/lib/apt \
        -o -path /var/lib/PackageKit -o -path /var/lib/systemd/timers \) -prune -o -print | sort
    ls /var/lib/systemd/timers 2>/dev/null || true
}
page() { curl -s -m 20 -o /dev/null -w '%{http_code}' --unix-socket /run/patchwork/http.sock "http://localhost$1"; }
IN
part() { # part WHAT: what is on standard input is run there
    { echo '. /shared/lib.sh'; cat; } >"$WORK/one/shared/part.sh"
    inside one bash /shared/part.sh >"$WORK/said-there" 2>&1 </dev/null || { cat "$WORK/said-there" >&2; fail "$1: $(tail -n 3 "$WORK/said-there")"; }
    ok "$1"
}
part "apt installs it; the service is enabled, runs and shows a page; cron's timer runs; LMTP waits to be wanted" <<'IN'
files >/root/before
apt-get install -y --no-install-recommends /shared/patchwork.deb
for unit in patchwork.service patchwork-cron.timer; do
    is "$unit" "$(systemctl is-enabled $unit) $(systemctl is-active $unit)" "enabled active"
done
is lmtp "$(systemctl is-enabled patchwork-lmtp.service) $(systemctl is-active patchwork-lmtp.service)" "disabled inactive"
is "a page" "$(page /about/)" 200
is failed "$(systemctl --failed --no-legend --plain)" ""
dpkg -V patchwork
is settings "$(stat -c '%U %G %a' /etc/patchwork/patchwork.toml)" "root www-data 640"
is data "$(stat -c '%U %G %a' /var/lib/patchwork)" "www-data www-data 750"
ls /var/www/patchwork/*.css >/dev/null
man -w patchwork >/dev/null && man -w patchwork-serve >/dev/null
bash -c '. /usr/share/bash-completion/completions/patchwork; complete -p patchwork' >/dev/null
runuser -u www-data -- patchwork createproject tidepool --name Tidepool --list-id tidepool.lists.example.org --list-email tidepool@lists.example.org
is "the project" "$(page /project/tidepool/)" 200
IN
part "upgraded over itself: settings that were changed stay, nobody is asked, the server is a new process, LMTP that was started runs again" <<'IN'
sed -i 's|^#url = .*|url = "https://patches.example.org"|' /etc/patchwork/patchwork.toml
systemctl enable --now patchwork-lmtp
pid() { systemctl show "$1" -p MainPID --value; }
server=$(pid patchwork) lmtp=$(pid patchwork-lmtp)
apt-get install -y --no-install-recommends /shared/patchwork-2.deb </dev/null
is version "$(dpkg-query -W -f '${Version}' patchwork | sed 's/.*-//')" 2
is active "$(systemctl is-active patchwork patchwork-lmtp patchwork-cron.timer | tr '\n' ' ')" "active active active "
[ "$(pid patchwork)" != "$server" ] && [ "$(pid patchwork-lmtp)" != "$lmtp" ] || die "the old processes run"
is "the project" "$(page /project/tidepool/)" 200
grep -q '^url = "https://patches.example.org"' /etc/patchwork/patchwork.toml || die "the settings are gone"
[ -z "$(find /etc/patchwork -name '*dpkg*')" ] || die "settings twice"
apt-get install -y --no-install-recommends --reinstall /shared/patchwork-2.deb
is "the project" "$(page /project/tidepool/)" 200
IN
reboot one
part "after a reboot it runs again" <<'IN'
is active "$(systemctl is-active patchwork patchwork-lmtp patchwork-cron.timer | tr '\n' ' ')" "active active active "
is "the project" "$(page /project/tidepool/)" 200
IN
part "removed: programs, units and files for browsers are gone, data and settings are there; installed again, all is as it was" <<'IN'
apt-get remove -y patchwork
[ ! -e /usr/bin/patchwork ] && [ ! -e /run/patchwork ] && [ ! -e /var/www/patchwork ] || die "something is left"
is left "$(find / -xdev -name '*patchwork*' \( -path '/usr/*' -o -path '/etc/*' -o -path '/var/www/*' \) | grep -vFxf /root/before | sort | tr '\n' ' ')" \
    "$(find /etc/systemd/system -name '*patchwork*' | sort | sed 1i/etc/patchwork | sed '1a/etc/patchwork/patchwork.toml' | sort | tr '\n' ' ')"
ls /var/lib/patchwork/patchwork.db /etc/patchwork/patchwork.toml
is processes "$(pgrep -c -u www-data patchwork || true)" 0
apt-get install -y --no-install-recommends /shared/patchwork-2.deb
is "the project" "$(page /project/tidepool/)" 200
is active "$(systemctl is-active patchwork patchwork-cron.timer | tr '\n' ' ')" "active active "
IN
part "purged: every file is gone" <<'IN'
apt-get purge -y patchwork
files >/root/after
is left "$(comm -13 /root/before /root/after | tr '\n' ' ')" ""
is lost "$(comm -23 /root/before /root/after | tr '\n' ' ')" ""
is failed "$(systemctl --failed --no-legend --plain)" ""
IN
