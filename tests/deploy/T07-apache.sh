# Apache in front: by HTTP, by FastCGI, as mod_fcgid's and as CGI's program.
needs apache2 curl python3 setpriv
modules=/usr/lib/apache2/modules
[ -e "$modules/mod_fcgid.so" ] || { skip "mod_fcgid is not installed"; exit 0; }
. "$here/front.sh"
front_site
serve_all

A1=$(port) A2=$(port) A3=$(port) A4=$(port)
# The samples as they are shipped, with other sockets, ports and paths.
site() { # SAMPLE PORT
    echo "Listen 127.0.0.1:$2"
    sed -e "s|\*:80|127.0.0.1:$2|" -e "s|/run/patchwork/|$WORK/run/|" -e "s|/opt/patchwork/bin|$WORK/bin|g" \
        -e "s|/etc/patchwork/|$WORK/|" "$root/lib/apache2/$1"
}
{
    for module in mpm_event authz_core alias env headers proxy proxy_http proxy_fcgi cgid fcgid; do
        echo "LoadModule ${module}_module $modules/mod_$module.so"
    done
    cat <<APACHE
ServerRoot $WORK
ServerName localhost
PidFile $WORK/run/apache.pid
DefaultRuntimeDir $WORK/run
Mutex file:$WORK/run
ErrorLog $WORK/apache.log
User www-data
Group www-data
ScriptSock $WORK/run/cgid.sock
FcgidIPCDir $WORK/run/fcgid
FcgidProcessTableFile $WORK/run/fcgid_shm
TraceEnable Off
<Directory />
    Require all denied
</Directory>
APACHE
    site patchwork-proxy.conf "$A1"
    site patchwork-fcgi.conf "$A2"
    site patchwork-fcgid.conf "$A3"
    site patchwork-cgi.conf "$A4"
} >"$WORK/apache.conf"
install -d -o www-data "$WORK/run/fcgid"
apache2 -f "$WORK/apache.conf" -t 2>&1 | sed 's/^/apache: /' >&2
ok "Apache takes the samples"
start apache2 -f "$WORK/apache.conf" -D FOREGROUND
APACHE=$PID
until_true 10 curl -sf "http://127.0.0.1:$A1/api/"
until_true 20 curl -sf "http://127.0.0.1:$A3/api/"

suite "own=$DIRECT" "Apache by HTTP=http://127.0.0.1:$A1" "Apache by FastCGI=http://127.0.0.1:$A2" \
    "Apache with mod_fcgid=http://127.0.0.1:$A3" "Apache with CGI=http://127.0.0.1:$A4"
for front in "$A1" "$A2" "$A3" "$A4"; do
    found=$(curl -s "http://127.0.0.1:$front/api/" -H 'X-Forwarded-Proto: https' -H 'Forwarded: proto=https' -H 'X-Forwarded-For: 192.0.2.1')
    [[ "$found" != *https://* && "$found" == *http://* ]] || fail "the scheme through $front: $found"
done
ok "the scheme is what Apache says, whatever a client says"
for front in "$A1" "$A2" "$A3"; do
    python3 "$here/bad.py" --parallel 200 "http://127.0.0.1:$front/api/"
done

# A worker of mod_fcgid that is killed is started again.
worker=$(pgrep -f "^$WORK/bin/patchwork" -P "$(pgrep -P "$APACHE" | tr '\n' ',' | sed 's/,$//')" | head -n 1 || true)
if [ -n "$worker" ]; then
    kill -KILL "$worker"
    until_true 10 curl -sf "http://127.0.0.1:$A3/api/"
    ok "a killed worker of mod_fcgid is replaced"
else
    fail "mod_fcgid has no workers"
fi

times=()
for _ in $(seq 50); do
    times+=("$(curl -s -o /dev/null -w '%{http_code} %{time_total}\n' "http://127.0.0.1:$A4/project/tidepool/list/")")
done
printf '%s\n' "${times[@]}" | awk '$1 != 200 {exit 1}' || fail "CGI: $(printf '%s, ' "${times[@]}")"
median=$(printf '%s\n' "${times[@]}" | awk '{print $2}' | sort -n | sed -n 25p)
ok "50 CGI requests of the list page, one after the other: median $median s (load $(cut -d' ' -f1 /proc/loadavg))"
# The last child may just have ended.
has_no_dead() { ! ps -o stat= --ppid "$(pgrep -P "$APACHE" | tr '\n' ',' | sed 's/,$//')" | grep -q '^Z'; }
until_true 10 has_no_dead || fail "dead children stay"
stop "$APACHE"
stop "$SERVER"
