//! The real program, started with nothing but what a test gives it.

use std::{
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::fresh_folder;

/// A folder to run the program in, and the environment it gets there.
pub struct Program {
    /// The current directory.
    pub folder: PathBuf,
    environment: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it said on standard error.
    pub err: String,
}

impl Default for Program {
    fn default() -> Self {
        Program {
            folder: fresh_folder(),
            environment: Vec::new(),
        }
    }
}

impl Program {
    /// Returns a program that works on this database.
    pub fn on(url: &str) -> Self {
        Program::default().with("DATABASE_URL", url)
    }

    /// Makes the project `dev`, of the list `dev.example.org`.
    pub fn make_dev(&self) {
        let mut arguments = vec!["createproject", "dev", "--name", "Dev"];
        arguments.extend(["--list-id", "dev.example.org"]);
        arguments.extend(["--list-email", "dev@example.org", "-v0"]);
        self.run(&arguments).ok();
    }

    /// Adds a variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into its folder.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// Returns the command, not started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_patchwork")), arguments)
    }

    fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments.iter().map(OsStr::new))
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments).spawn().expect("the program"))
    }

    /// Runs it with something on standard input.
    pub fn run_with(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ended {
        fed(self.command(arguments), input)
    }

    /// Runs `patchwork-parsemail`.
    pub fn parsemail(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ended {
        let program = Path::new(env!("CARGO_BIN_EXE_patchwork-parsemail"));
        fed(self.command_of(program, arguments), input)
    }

    /// Starts `patchwork-parsemail`; what it prints and reads is piped.
    pub fn start_parsemail(&self, arguments: &[&str]) -> Child {
        let program = Path::new(env!("CARGO_BIN_EXE_patchwork-parsemail"));
        let mut command = self.command_of(program, arguments);
        command.stdin(Stdio::piped()).spawn().expect("the program")
    }

    /// Returns the command of a copy of one of the programs, not started.
    pub fn command_at(&self, program: &Path, arguments: &[&str]) -> Command {
        self.command_of(program, arguments)
    }
}

fn fed(mut command: Command, input: impl AsRef<[u8]>) -> Ended {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program");
    let mut stdin = child.stdin.take().expect("standard input");
    // A program that does not read all of it is not at fault.
    let _ = stdin.write_all(input.as_ref());
    drop(stdin);
    ended(child)
}

/// How long a program may run that is waited for: one that serves by mistake would serve for ever.
const PATIENCE: Duration = Duration::from_secs(300);

/// Waits for the end, and brings it about where it does not come.
pub fn ended(child: Child) -> Ended {
    let pid = child.id().to_string();
    let (done, is_done) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        if is_done.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", &pid]).status();
        }
    });
    let output = child.wait_with_output().expect("an end");
    drop(done);
    watch.join().expect("a watch");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ended {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

impl Ended {
    /// Demands success and silence on standard error, and returns what was printed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert_eq!(self.err, "", "{self:?}");
        self.out
    }

    /// Demands this exit code and one sentence on standard error with these parts; nothing on standard output.
    #[track_caller]
    pub fn fails(self, code: i32, parts: &[&str]) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        assert!(self.err.starts_with("patchwork: "), "{self:?}");
        assert_eq!(self.err.trim_end().lines().count(), 1, "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in {self:?}");
        }
        self.err
    }
}
