//! The real program: raw requests as old clients send them, and Python's own client.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command},
};

use super::client::{answer, request};
use crate::support::{free_port, program::Program, skip};
use serde_json::json;

/// A demo that is served until the test ends.
struct Served {
    child: Child,
    port: u16,
}

impl Served {
    fn start() -> Served {
        let program = Program::default();
        let port = free_port();
        let child = program
            .command(&["demo", "--port", &port.to_string()])
            .spawn()
            .expect("the program");
        let mut served = Served { child, port };
        let out = served.child.stdout.take().expect("standard output");
        let begun = BufReader::new(out)
            .lines()
            .map_while(Result::ok)
            .any(|line| line.starts_with("Serving on"));
        assert!(begun, "it does not serve");
        served
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request over a connection and returns head and body of the answer.
fn exchange(stream: &mut BufReader<TcpStream>, target: &str, body: &str) -> (String, String) {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: patches.example.com\r\nAccept-Encoding: gzip;q=0\r\nContent-Type: text/xml\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let sent = stream
        .get_mut()
        .write_all(format!("{head}{body}").as_bytes());
    sent.expect("a request");
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).expect("an answer"), 0, "{head}");
    }
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    let mut body = vec![0; length.expect("a length")];
    stream.read_exact(&mut body).expect("a body");
    (head, String::from_utf8(body).expect("UTF-8"))
}

#[test]
fn targets_are_absolute_or_not() {
    let served = Served::start();
    let stream = TcpStream::connect(("127.0.0.1", served.port)).expect("a connection");
    let mut stream = BufReader::new(stream);
    let version = request("pw_rpc_version", &json!([]));
    // One connection for all: clients keep it.
    for target in [
        "http://patches.example.com/xmlrpc/",
        "http://patches.example.com:8000/xmlrpc",
        "https://patches.example.com/xmlrpc/?x=y",
        "/xmlrpc/",
        "/xmlrpc",
    ] {
        let (head, body) = exchange(&mut stream, target, &version);
        assert!(head.starts_with("HTTP/1.1 200 "), "{target}: {head}");
        assert_eq!(answer(&body), Ok(json!([1, 3, 0])), "{target}");
    }
    let (head, _) = exchange(&mut stream, "http://patches.example.com/none/", &version);
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    let (head, body) = exchange(&mut stream, "/xmlrpc/", "");
    assert!(
        head.starts_with("HTTP/1.1 200 ") && answer(&body).is_err(),
        "{head}{body}"
    );
}

/// What Python's client does with the interface: it exits with 0 when all is as it says.
const SCRIPT: &str = r#"
import sys, xmlrpc.client as x
port = sys.argv[1]
rpc = x.ServerProxy(f"http://127.0.0.1:{port}/xmlrpc/", allow_none=True)
assert rpc.pw_rpc_version() == [1, 3, 0]
project = rpc.project_list("tide", 0)[0]
assert project["linkname"] == "tidepool", project
patches = rpc.patch_list({"project_id": project["id"], "max_count": -2})
assert len(patches) == 2 and len(rpc.patch_list()) > 50
dates = [patch["date"].data for patch in rpc.patch_list({})]
assert dates == sorted(dates) and isinstance(patches[0]["date"], x.Binary)
patch = rpc.patch_get(patches[0]["id"])
assert patch == patches[0] and len(patch) == 16, patch
assert rpc.patch_get_mbox(patch["id"]).startswith("From patchwork ")
assert rpc.patch_get(999999) == {} and rpc.patch_get_mbox(999999) == ""
assert len(rpc.check_list()) == len(rpc.check_list({"user": "ci"})) > 0
try:
    rpc.patch_set(patch["id"], {"state": 3})
    raise SystemExit("it took a change from nobody")
except x.Fault as fault:
    assert (fault.faultCode, fault.faultString) == (1, "<class 'Exception'>:No authentication credentials given")
mara = x.ServerProxy(f"http://mara:low-tide-at-noon@127.0.0.1:{port}/xmlrpc", allow_none=True)
state = [s for s in mara.state_list("", 0) if s["id"] != patch["state_id"]][0]
assert mara.patch_set(patch["id"], {"state": state["id"], "commit_ref": "d\u00e9ad", "archived": True}) is True
after = rpc.patch_get(patch["id"])
assert after["state"].data.decode() == state["name"] and after["commit_ref"] == "d\u00e9ad" and after["archived"] is True
assert mara.patch_set(patch["id"], {"commit_ref": None, "archived": "no"}) is True
assert mara.check_create(patch["id"], "ci-test", "warning", "https://ci.example.com/1", "<odd> & \"quoted\"") is True
check = rpc.check_list({"patch_id": patch["id"], "max_count": -1})[0]
assert check["description"] == "<odd> & \"quoted\"" and check["user"].data == b"mara", check
several = x.MultiCall(mara)
several.patch_get(patch["id"])
several.patch_set(patch["id"], {"archived": False})
several.nosuch()
answers = several()
assert answers[0]["commit_ref"] == "" and answers[1] is True
try:
    answers[2]
    raise SystemExit("it knows nosuch")
except x.Fault as fault:
    assert "not supported" in fault.faultString
assert "patch_set" in rpc.system.listMethods() and rpc.system.methodHelp("patch_set")
print("well")
"#;

#[test]
fn python_is_content() {
    if !Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|ran| ran.status.success())
    {
        return skip("python_is_content", "there is no python3");
    }
    let served = Served::start();
    let ran = Command::new("python3")
        .args(["-c", SCRIPT, &served.port.to_string()])
        .output()
        .expect("python3");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    assert_eq!(ran.stdout, b"well\n");
}
