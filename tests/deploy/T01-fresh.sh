# A fresh machine: a folder with the program, libc and a shell's place, in namespaces of its own; no network but loopback.
needs unshare chroot ldd python3
unshare --mount --net --pid --fork true 2>/dev/null || { skip "no namespaces here"; exit 0; }
new=$WORK/root
mkdir -p "$new"/{bin,etc/patchwork,var/lib/patchwork,tmp,dev,proc,usr/share}
cp "$PATCHWORK" "$PARSEMAIL" "$new/bin/"
# What the program is linked to, and nothing else: no shell, no Python, no compiler.
for library in $(ldd "$PATCHWORK" | grep -o '/[^ ]*'); do
    install -D -m 755 "$library" "$new$library"
done
cp "$root/Rocket.toml" "$new/etc/"
cat >"$new/etc/patchwork/patchwork.toml" <<TOML
[site]
secret_key = "$("$PATCHWORK" secret-key)"
TOML
cat >"$WORK/inside.py" <<'PY'
import os, subprocess, sys, time, urllib.request, signal, re
new = sys.argv[1]
environment = {"PATCHWORK_PASSWORD": "low-tide-at-noon", "TZ": "UTC"}


def run(*words, background=False, stdin=None):
    def enter():
        os.chroot(new)
        os.chdir("/")
    program = subprocess.Popen(["/bin/" + words[0], *words[1:]], preexec_fn=enter, env=environment, stdin=stdin,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if background:
        return program
    out, _ = program.communicate(timeout=60)
    if program.returncode:
        sys.exit(f"FAIL {' '.join(words)}: {program.returncode}: {out}")
    return out


run("patchwork", "migrate")
run("patchwork", "loaddata", "default_states")
run("patchwork", "createproject", "tidepool", "--name", "Tidepool", "--list-id", "tidepool.lists.example.org",
    "--list-email", "tidepool@lists.example.org")
print("ok migrate, loaddata and createproject on a machine without anything")
said = run("patchwork", "createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.org")
run("patchwork", "check")
print("ok createsuperuser --noinput and check")
with open(sys.argv[2], "rb") as mbox:
    run("patchwork", "parsearchive", "-v0", "-", stdin=mbox)
print("ok an archive by standard input")
server = run("patchwork", "runserver", "127.0.0.1:8000", background=True)
for _ in range(100):
    try:
        page = urllib.request.urlopen("http://127.0.0.1:8000/project/tidepool/list/").read().decode()
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit("FAIL nobody listens")
sheet = re.search(r'href="([^"]+\.css)"', page).group(1)
assert urllib.request.urlopen("http://127.0.0.1:8000" + sheet).status == 200
if "tidepool" not in page:
    sys.exit("FAIL the page")
sockets = [line.split() for line in open(f"/proc/{server.pid}/net/tcp")][1:]
listening = [line[1] for line in sockets if line[3] == "0A"]
print("ok a page with its style sheet")
began = time.monotonic()
server.send_signal(signal.SIGINT)
if server.wait(10):
    sys.exit(f"FAIL ended with {server.returncode}")
took = time.monotonic() - began
if took > 2 or listening != ["0100007F:1F40"]:
    sys.exit(f"FAIL stopped after {took:.1f} s, listened at {listening}")
print(f"ok Ctrl-C ends it after {took:.2f} s; it listened at one port, and there was no network to call out to")
PY
unshare --mount --net --pid --fork bash -c '
    ip link set lo up 2>/dev/null || python3 -c "
import fcntl, socket, struct
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack(\"16sH14s\", b\"lo\", 0x41, b\"\"))"
    mount -t proc proc /proc
    exec python3 "$0" "$1" "$2"' "$WORK/inside.py" "$new" "$root/lib/sample/tidepool.mbox" || fail "inside"
