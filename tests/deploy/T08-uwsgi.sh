# uWSGI's emperor runs the program, as the sample has it.
needs uwsgi nginx curl python3 setpriv
. "$here/front.sh"
front_site
mkdir "$WORK/vassals"
P1=$(port)
sed -e "s|/opt/patchwork/bin|$WORK/bin|" -e "s|/run/patchwork/|$WORK/run/|" "$root/lib/uwsgi/patchwork.ini" >"$WORK/vassals/patchwork.ini"
sed -e "s|listen 80;|listen 127.0.0.1:$P1;|" -e '/listen \[::\]/d' -e "s|/run/patchwork/|$WORK/run/|" \
    "$root/lib/nginx/patchwork-fastcgi.conf" >"$WORK/site.conf"
nginx_with "$WORK/site.conf"
start env "PATCHWORK_CONFIG=$WORK/patchwork.toml" uwsgi --emperor "$WORK/vassals" --emperor-throttle 10
EMPEROR=$PID
site=http://127.0.0.1:$P1
until_true 30 curl -sf "$site/api/"
vassal() { pgrep -P "$EMPEROR" -f "$WORK/bin/patchwork" | head -n 1; }
same "who serves" "$(ps -o user= -p "$(vassal)")" www-data
ok "the emperor runs the program as www-data, nginx reaches it"

before=$(vassal)
python3 "$here/bad.py" --while 5 "$site/api/" >"$WORK/while" &
asking=$!
sleep 1.5; touch "$WORK/vassals/patchwork.ini"
wait "$asking" || fail "touching the file under load: $(cat "$WORK/while")"
same "the process after a reload" "$(vassal)" "$before"
[ "$(awk '{print $22}' "/proc/$before/stat")" ] || fail "no process"
ok "touching the file has it begin anew: $(cat "$WORK/while")"

kill -KILL "$(vassal)"
came_back() { [ -n "$(vassal)" ] && [ "$(vassal)" != "$before" ] && curl -sf "$site/api/"; }
until_true 20 came_back
ok "a killed child is replaced, and takes the stale socket over"

began=$(date +%s%N)
rm "$WORK/vassals/patchwork.ini"
until_true 20 test ! -e "$WORK/run/fastcgi.sock"
ok "without its file it ends, after $((($(date +%s%N) - began) / 1000000)) ms, and the socket is gone"
sed -e "s|/opt/patchwork/bin|$WORK/bin|" -e "s|/run/patchwork/|$WORK/run/|" "$root/lib/uwsgi/patchwork.ini" >"$WORK/vassals/patchwork.ini"
until_true 30 curl -sf "$site/api/"
last=$(vassal)
began=$(date +%s%N)
kill -QUIT "$EMPEROR"
until_true 10 test ! -e "/proc/$last"
took=$((($(date +%s%N) - began) / 1000000))
[ "$took" -lt 5000 ] || fail "stopped after $took ms"
[ ! -e "$WORK/run/fastcgi.sock" ] || fail "the socket file is left"
ok "the emperor's end is its end, after $took ms; the socket is gone"
stop "$NGINX"
