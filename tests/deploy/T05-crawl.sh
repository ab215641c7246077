# Every page that a visitor reaches, and everything that pages ask for, by the server alone and through nginx.
needs nginx curl python3 setpriv
. "$here/front.sh"
front_site
serve_all
P1=$(port)
sed -e "s|listen 80;|listen 127.0.0.1:$P1;|" -e '/listen \[::\]/d' -e "s|/run/patchwork/|$WORK/run/|" \
    "$root/lib/nginx/patchwork-proxy.conf" >"$WORK/site.conf"
nginx_with "$WORK/site.conf"
until_true 10 curl -sf "http://127.0.0.1:$P1/api/"
cat >"$WORK/crawl.py" <<'PY'
import collections, html.parser, sys, urllib.error, urllib.parse, urllib.request

base, most = sys.argv[1], int(sys.argv[2])


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.assets = [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a" and attrs.get("href"):
            self.found.append(attrs["href"])
        if tag in ("link", "script", "img"):
            rel = attrs.get("rel", "")
            address = attrs.get("href") or attrs.get("src")
            if address and "canonical" not in rel:
                self.assets.append(address)


todo, seen, kinds, assets, bad = collections.deque(["/"]), {"/"}, collections.Counter(), set(), []
while todo and sum(kinds.values()) < most:
    path = todo.popleft()
    try:
        answer = urllib.request.urlopen(base + path, timeout=30)
        status, kind, body = answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as error:
        status, kind, body = error.code, "", b""
    kinds[status] += 1
    if status not in (200, 401, 403):
        bad.append((path, status))
    if kind != "text/html":
        continue
    links = Links()
    links.feed(body.decode())
    for address in links.found + links.assets:
        whole = urllib.parse.urljoin(base + path, address)
        if not whole.startswith(base + "/"):
            continue
        own = urllib.parse.urldefrag(whole[len(base):])[0]
        if address in links.assets:
            assets.add(own)
        # Lists in every order and of every kind are without end.
        elif own not in seen and own.count("&") < 1:
            seen.add(own)
            todo.append(own)
for path in assets:
    answer = urllib.request.urlopen(base + path)
    if "/static/" in path and "immutable" not in answer.headers.get("Cache-Control", ""):
        bad.append((path, "may change"))
for path in ("/static/../Cargo.toml", "/static/%2e%2e/Cargo.toml", "/static/..%2fCargo.toml", "/static../Cargo.toml", "/static-x/a",
             "/static/%00", "/static/../../../../etc/passwd"):
    try:
        bad.append((path, urllib.request.urlopen(base + path).status))
    except (urllib.error.HTTPError, ValueError) as error:
        if getattr(error, "code", 404) not in (400, 404):
            bad.append((path, error.code))
if bad:
    sys.exit(f"FAIL {bad[:10]}")
print(f"ok {sum(kinds.values())} pages and {len(assets)} files they ask for are there; nothing outside them is")
PY
for site in "$DIRECT" "http://127.0.0.1:$P1"; do
    python3 "$WORK/crawl.py" "$site" 400 || fail "$site"
done
stop "$NGINX"
stop "$SERVER"
