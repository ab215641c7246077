//! A client small enough to send exactly what the programs send that are not run here.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::Value;

use super::site::Site;

/// A request.
#[derive(Clone)]
pub struct Request {
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    is_whole: bool,
}

impl Request {
    /// A request to read something.
    pub fn get(target: &str) -> Request {
        Request {
            method: "GET",
            target: target.to_owned(),
            headers: Vec::new(),
            body: String::new(),
            is_whole: false,
        }
    }

    /// A request with a form.
    pub fn form(method: &'static str, target: &str, form: &str) -> Request {
        Request {
            method,
            body: form.to_owned(),
            ..Request::get(target)
        }
        .with("Content-Type", "application/x-www-form-urlencoded")
    }

    /// A request with JSON.
    pub fn json(method: &'static str, target: &str, json: &Value) -> Request {
        Request {
            method,
            body: json.to_string(),
            ..Request::get(target)
        }
        .with("Content-Type", "application/json")
    }

    /// Adds a header.
    pub fn with(mut self, name: &'static str, value: &str) -> Request {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Adds the token of the maintainer.
    pub fn by_maintainer(self, site: &Site) -> Request {
        let value = format!("Token {}", site.token);
        self.with("Authorization", &value)
    }

    /// Writes scheme and host into the first line, as if to a proxy.
    pub fn whole_target(self, site: &Site) -> Request {
        Request {
            target: format!("{}{}", site.url(), self.target),
            is_whole: true,
            ..self
        }
    }

    /// Sends it. A target may be a whole address, as answers have it.
    pub fn send(&self, site: &Site) -> Answer {
        let own = self.target.strip_prefix(&site.url());
        let target = own.filter(|_| !self.is_whole);
        let mut stream = TcpStream::connect(&site.host).expect("a server");
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.method,
            target.unwrap_or(&self.target),
            site.host,
            self.body.len()
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let whole = format!("{head}\r\n{}", self.body);
        stream.write_all(whole.as_bytes()).expect("a request");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an answer");
        let asked = format!("{} {}", self.method, self.target);
        Answer::read(asked, &String::from_utf8(bytes).expect("UTF-8"))
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// What was asked, for messages.
    pub asked: String,
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    fn read(asked: String, text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        Answer {
            asked,
            status: status.and_then(|code| code.parse().ok()).expect("a status"),
            headers: lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    /// Demands a status.
    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Returns a header.
    pub fn header(&self, name: &str) -> &str {
        self.header_if(|it| it.eq_ignore_ascii_case(name))
    }

    /// Returns a header that is spelled exactly so.
    pub fn spelled(&self, name: &str) -> &str {
        self.header_if(|it| it == name)
    }

    fn header_if(&self, is_it: impl Fn(&str) -> bool) -> &str {
        let found = self.headers.iter().find(|(name, _)| is_it(name));
        found.map_or("", |(_, value)| value)
    }

    /// Returns the body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns one field of each entry of a list.
    #[track_caller]
    pub fn each(&self, field: &str) -> Vec<Value> {
        let json = self.json();
        let list = json
            .as_array()
            .unwrap_or_else(|| panic!("no list: {self:?}"));
        list.iter().map(|one| one[field].clone()).collect()
    }
}
