//! A client of our own: values are JSON, with base64 as `{"base64": text}`.

use patchwork::{
    store::{Database, Db, Pool},
    web, xmlrpc,
};
use quick_xml::{Reader, events::Event};
use rocket::{
    http::{Header, Method, Status},
    local::asynchronous::Client,
};
use serde_json::{Value, json};

/// A site with the interface on.
pub async fn site(db: &Db) -> Client {
    site_with(db, |_| {}).await
}

/// A site with settings of one's own.
pub async fn site_with(db: &Db, change: impl FnOnce(&mut xmlrpc::Options)) -> Client {
    let mut options = xmlrpc::Options {
        base: String::new(),
        enabled: true,
        max_body: 1 << 20,
        ..xmlrpc::Options::default()
    };
    change(&mut options);
    let pages = web::Options {
        base: options.base.clone(),
        ..web::Options::default()
    };
    options.stylesheet = web::Links::new(&options.base).asset("patchwork.css");
    options.brand = web::brand(&pages);
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("secret_key", [7u8; 32].as_slice()));
    let rocket = rocket::custom(figment).manage(Database::from(Pool::from(db.clone())));
    let rocket = xmlrpc::mount(web::mount(rocket, pages), options);
    Client::untracked(rocket).await.expect("a site")
}

/// What came back.
pub struct Seen {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

/// Sends anything.
pub async fn send(
    site: &Client,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
    body: impl AsRef<[u8]>,
) -> Seen {
    let mut request = site.req(method, path.to_owned()).body(body);
    for (name, value) in headers {
        request.add_header(Header::new(*name, (*value).to_owned()));
    }
    let response = request.dispatch().await;
    let headers = response.headers().iter();
    let headers = headers.map(|h| (h.name().to_string(), h.value().to_owned()));
    let (headers, status) = (headers.collect(), response.status().code);
    let body = response.into_string().await.unwrap_or_default();
    Seen {
        status,
        headers,
        body,
    }
}

/// Calls a method; a fault is the error.
pub async fn call(site: &Client, method: &str, params: Value) -> Result<Value, String> {
    call_as(site, None, method, params).await
}

/// Calls a method with an `Authorization`; a fault is the error.
pub async fn call_as(
    site: &Client,
    authorization: Option<&str>,
    method: &str,
    params: Value,
) -> Result<Value, String> {
    let headers = authorization.map(|value| ("Authorization", value));
    let sent = request(method, &params);
    let seen = send(site, Method::Post, "/xmlrpc/", headers.as_slice(), sent).await;
    assert_eq!(seen.status, Status::Ok.code, "{}", seen.body);
    answer(&seen.body)
}

/// The text of a call; the arguments are an array.
pub fn request(method: &str, params: &Value) -> String {
    let params = params.as_array().expect("an array of arguments").iter();
    let params: String = params
        .map(|value| format!("<param>{}</param>", xml(value)))
        .collect();
    format!(
        "<?xml version='1.0'?>\n<methodCall>\n<methodName>{method}</methodName>\n<params>{params}</params>\n</methodCall>\n"
    )
}

fn xml(value: &Value) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let inner = match value {
        Value::Null => "<nil/>".to_owned(),
        Value::Bool(yes) => format!("<boolean>{}</boolean>", u8::from(*yes)),
        Value::Number(number) if number.is_f64() => format!("<double>{number}</double>"),
        Value::Number(number) => format!("<int>{number}</int>"),
        Value::String(text) => format!("<string>{}</string>", escaped(text)),
        Value::Array(values) => {
            let values: String = values.iter().map(xml).collect();
            format!("<array><data>{values}</data></array>")
        }
        Value::Object(members) => {
            let member =
                |(name, value)| format!("<member><name>{name}</name>{}</member>", xml(value));
            let members: String = members.iter().map(member).collect();
            format!("<struct>{members}</struct>")
        }
    };
    format!("<value>{inner}</value>")
}

/// Reads an answer; a fault is the error.
pub fn answer(text: &str) -> Result<Value, String> {
    let mut tree = Tree::of(text);
    assert_eq!(tree.name, "methodResponse");
    let answer = tree.children.remove(0);
    match answer.name.as_str() {
        "params" => Ok(answer.only().only().value()),
        "fault" => {
            let fault = answer.only().value();
            assert_eq!(fault["faultCode"], 1);
            Err(fault["faultString"].as_str().expect("a text").to_owned())
        }
        other => panic!("<{other}>"),
    }
}

/// An element.
#[derive(Default)]
struct Tree {
    name: String,
    text: String,
    children: Vec<Tree>,
}

impl Tree {
    fn of(text: &str) -> Tree {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut open = vec![Tree::default()];
        loop {
            match reader.read_event().expect("XML") {
                Event::Start(start) => open.push(Tree {
                    name: start.name().as_ref().to_owned(),
                    ..Tree::default()
                }),
                Event::End(_) => {
                    let done = open.pop().expect("an element");
                    open.last_mut().expect("a parent").children.push(done);
                }
                Event::Text(more) => {
                    open.last_mut().expect("an element").text += &more.xml10_content()
                }
                Event::GeneralRef(entity) => {
                    let c = match (
                        &*entity.xml10_content(),
                        entity.resolve_char_ref().expect("a reference"),
                    ) {
                        (_, Some(c)) => c,
                        ("amp", _) => '&',
                        ("lt", _) => '<',
                        ("gt", _) => '>',
                        (other, _) => panic!("&{other};"),
                    };
                    open.last_mut().expect("an element").text.push(c);
                }
                Event::Eof => break,
                Event::Decl(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(open.len(), 1, "it is not whole");
        open.remove(0).only()
    }

    fn only(mut self) -> Tree {
        assert_eq!(self.children.len(), 1, "in <{}>", self.name);
        self.children.remove(0)
    }

    fn value(self) -> Value {
        assert_eq!(self.name, "value");
        let typed = self.only();
        match typed.name.as_str() {
            "int" => json!(typed.text.parse::<i64>().expect("a number")),
            "boolean" => json!(typed.text == "1"),
            "string" => json!(typed.text),
            "base64" => json!({ "base64": decoded(&typed.text) }),
            "array" => typed.only().children.into_iter().map(Tree::value).collect(),
            "struct" => {
                let members = typed.children.into_iter().map(|mut member| {
                    let value = member.children.remove(1).value();
                    (member.only().text, value)
                });
                Value::Object(members.collect())
            }
            other => panic!("<{other}>"),
        }
    }
}

fn decoded(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let digits: String = text.split_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(digits).expect("base64");
    String::from_utf8(bytes).expect("UTF-8")
}

/// The `Authorization` of an account.
pub fn basic(username: &str, password: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{username}:{password}"))
    )
}
