# The first run of a fresh site, in a browser: an administrator sets it up, somebody registers and follows the mailed link;
# with scripts and without, behind nginx, by FastCGI. The walks are those of tests/browser.
needs nginx curl python3 setpriv node
browser=$root/tests/browser
[ -d "$browser/node_modules" ] || { skip "tests/browser/node_modules is missing: tests/setup.sh"; exit 0; }
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || { skip "chromium is not installed"; exit 0; }
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || { skip "python3-aiosmtpd is not installed"; exit 0; }
. "$here/front.sh"

SMTP=$(port) P1=$(port)
mkdir "$WORK/mails"
start /usr/bin/python3 "$here/sink.py" "$WORK/mails" "$SMTP"
until_true 20 is_up "$SMTP"
cat >"$WORK/patchwork.toml" <<TOML
[database]
url = "sqlite:$WORK/site.db"
[site]
secret_key = "$("$PATCHWORK" secret-key)"
[mail]
host = "127.0.0.1"
port = $SMTP
from = "Patchwork <patchwork@example.org>"
TOML
run() { "$PATCHWORK" "$@" -v0 --config "$WORK/patchwork.toml"; }
run migrate
run loaddata default_states default_tags
PATCHWORK_PASSWORD=low-tide-at-noon run createsuperuser --noinput --username admin --email admin@example.org
ok "a fresh site: migrate, loaddata, createsuperuser"
front_folder
serve_all
sed -e "s|listen 80;|listen 127.0.0.1:$P1;|" -e '/listen \[::\]/d' -e "s|/run/patchwork/|$WORK/run/|" \
    "$root/lib/nginx/patchwork-fastcgi.conf" >"$WORK/site.conf"
nginx_with "$WORK/site.conf"
until_true 10 curl -sf "http://127.0.0.1:$P1/api/"

for walk in administrator newcomer; do
    said=$(cd "$browser" && HOME=$WORK node walk.mjs "http://127.0.0.1:$P1" "$WORK/mails" --only "$walk") || fail "$walk: $said"
    ok "$walk, with scripts and without, through nginx and FastCGI: $(tail -n 1 <<<"$said")"
done
ok "$(ls "$WORK/mails" | grep -c '\.eml$') mails came by SMTP, and their links lead on"
same "projects" "$(curl -s "http://127.0.0.1:$P1/api/projects/" | grep -o '"link_name":' | wc -l)" 2
