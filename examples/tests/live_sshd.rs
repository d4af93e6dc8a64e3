//! Programs on another machine, reached through the system's `ssh`: a real `sshd` on loopback, with keys of its own.
//!
//! Without OpenSSH's client and server the tests are ignored, unless `PACKETSTREAM_SSHD=required` makes them fail.

use libtest_mimic::{Arguments, Failed, Trial};
use packetstream::{Address, Child, ChildEnded, PacketConnection, Ssh, Stderr, Stream};
use std::fs;
use std::future::Future;
use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

/// Has to be started by its whole path.
const SSHD: &str = "/usr/sbin/sshd";
/// No test takes longer.
const LIMIT: Duration = Duration::from_mins(1);
/// How long the server may take to start.
const START: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var_os("PACKETSTREAM_SSHD").is_some_and(|value| value == "required");
    let ignored = !required && !is_installed();
    if ignored {
        eprintln!("live_sshd: not run, {SSHD}, ssh or ssh-keygen is not installed");
    }
    let trials = trials().into_iter().map(|trial| trial.with_ignored_flag(ignored));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn is_installed() -> bool {
    let found = |program: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
    };
    Path::new(SSHD).is_file() && found("ssh") && found("ssh-keygen")
}

fn trials() -> Vec<Trial> {
    fn trial<F: Future<Output = ()> + 'static>(name: &str, test: fn(Server) -> F) -> Trial {
        let run = move || -> Result<(), Failed> {
            let server = Server::start()?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let tested = runtime.block_on(async { tokio::time::timeout(LIMIT, test(server)).await });
            tested.map_err(|_| format!("waited in vain for {LIMIT:?}").into())
        };
        Trial::test(name, run)
    }
    vec![
        trial("a program that is reached by ssh answers", a_program_answers),
        trial("words reach the program as they are", words_reach_the_program_as_they_are),
        trial("the status of the program is that of the child", the_status_is_that_of_the_child),
        trial("a key that is not accepted is told in the words of ssh", a_wrong_key_is_told),
        trial("a program that does not exist is told in the words of the shell", a_missing_program_is_told),
        trial("a host that is not known is refused", an_unknown_host_is_refused),
        trial("an address alone reaches a host, and asks nobody whether it is known", an_address_asks_nobody),
        trial("a host where nobody listens is told in the words of ssh", nobody_is_told),
    ]
}

/// A server that is stopped when this is dropped.
struct Server {
    process: Process,
    directory: TempDir,
    user: String,
    port: u16,
}

impl Server {
    fn start() -> io::Result<Self> {
        // It insists on an empty directory to lock itself into, if it can. A package's start script makes it.
        let _ = fs::create_dir("/run/sshd");
        let user = run(Command::new("id").arg("-un"))?.trim().to_owned();
        let directory = TempDir::new()?;
        let path = |name: &str| directory.path().join(name);
        for key in ["host_key", "user_key", "other_key"] {
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path(key)))?;
        }
        fs::copy(path("user_key.pub"), path("authorized_keys"))?;
        // Somebody else may take the port in between.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let host_key = fs::read_to_string(path("host_key.pub"))?;
            fs::write(path("known_hosts"), format!("[127.0.0.1]:{port} {host_key}"))?;
            fs::write(path("sshd_config"), server_configuration(directory.path(), port))?;
            fs::write(path("ssh_config"), client_configuration(directory.path()))?;
            let mut command = Command::new(SSHD);
            command.args(["-D", "-e", "-f"]).arg(path("sshd_config"));
            let mut process = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
            match wait_until_it_listens(&mut process) {
                Ok(()) => return Ok(Self { process, directory, user, port }),
                Err(words) if words.contains("Address already in use") => {}
                Err(words) => return Err(io::Error::other(format!("{SSHD} does not start: {words}"))),
            }
        }
        Err(io::Error::other("no port is left for five times"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// How a program with a configuration of its own for `ssh` reaches `command`.
    fn ssh(&self, command: &str) -> Ssh {
        let address = format!("ssh://{}@127.0.0.1:{}/{command}", self.user, self.port);
        let Ok(Address::Ssh(ssh)) = address.parse() else { panic!("{address}") };
        ssh.option("-F").option(self.path("ssh_config"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn server_configuration(directory: &Path, port: u16) -> String {
    let directory = directory.display();
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {directory}/host_key\n\
         AuthorizedKeysFile {directory}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n"
    )
}

fn client_configuration(directory: &Path) -> String {
    let directory = directory.display();
    format!(
        "IdentitiesOnly yes\nIdentityFile {directory}/user_key\nUserKnownHostsFile {directory}/known_hosts\n\
         GlobalKnownHostsFile none\nStrictHostKeyChecking yes\nIdentityAgent none\n"
    )
}

/// What a command says that ends well.
fn run(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{command:?}: {}: {words}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Fails with what the server says instead; it has ended then.
fn wait_until_it_listens(process: &mut Process) -> Result<(), String> {
    let said = process.stderr.take().map(BufReader::new).ok_or("it has no standard error")?;
    let (tell, hear) = mpsc::channel();
    // For as long as it runs: it would end if nobody listened.
    thread::spawn(move || {
        for line in said.lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    let mut words = String::new();
    while let Ok(line) = hear.recv_timeout(START) {
        if line.starts_with("Server listening on ") {
            return Ok(());
        }
        words += &line;
        words += "\n";
    }
    let _ = process.kill();
    let _ = process.wait();
    Err(words)
}

/// Starts a remote command, whose last words are kept.
fn spawn(ssh: &Ssh) -> Stream {
    let command = ssh.to_command().unwrap_or_else(|error| panic!("{error}"));
    Child::spawn_with(command, Stderr::Keep(4096)).unwrap_or_else(|error| panic!("{error}")).0
}

/// With what a connection to a remote command fails.
async fn failure(ssh: &Ssh) -> ChildEnded {
    let connection = PacketConnection::builder().spawn(spawn(ssh));
    let Err(error) = connection.submit(0, 0, "anybody there?").await else { panic!("answered") };
    let Some(ended) = ChildEnded::find_in(&error) else { panic!("{error:?}") };
    ended.clone()
}

/// That a child has ended with `status`, and its error ends with `words`.
fn tells(ended: &ChildEnded, status: i32, words: &str) {
    let text = ended.to_string();
    assert!(text.starts_with(&format!("child {} ended with status {status}: ", ended.pid)), "{text}");
    assert!(text.ends_with(words), "{text}");
}

async fn a_program_answers(server: Server) {
    let ssh = server.ssh(&format!("{} --listen stdio:", env!("CARGO_BIN_EXE_reverse")));
    let connection = PacketConnection::builder().spawn(spawn(&ssh));
    let calls = [b"abc".to_vec(), vec![7; 100_000]]
        .map(|payload| (connection.submit(0, 0, payload.clone()), payload));
    for (call, payload) in calls {
        let reply = call.await.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(reply.payload, payload.iter().rev().copied().collect::<Vec<_>>());
    }
    connection.close();
    let report = connection.closed().await;
    assert!(report.result.is_ok() && report.shut_down.is_none(), "{report}");
}

async fn words_reach_the_program_as_they_are(server: Server) {
    let words = ["two words", "$HOME", "*", "a'b", "\"", "\\", "; id", "-n", "ü", ""];
    let ssh = server.ssh("none").command(["printf", "<%s>"].into_iter().chain(words));
    let mut said = String::new();
    spawn(&ssh).read_to_string(&mut said).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(said, words.map(|word| format!("<{word}>")).concat());
}

async fn the_status_is_that_of_the_child(server: Server) {
    tells(&failure(&server.ssh("sh -c 'echo no luck >&2; exit 7'")).await, 7, ": no luck");
}

async fn a_wrong_key_is_told(server: Server) {
    fs::copy(server.path("other_key"), server.path("user_key")).unwrap_or_else(|error| panic!("{error}"));
    fs::remove_file(server.path("user_key.pub")).unwrap_or_else(|error| panic!("{error}"));
    let user = &server.user;
    let words = format!(": {user}@127.0.0.1: Permission denied (publickey).");
    tells(&failure(&server.ssh("true")).await, 255, &words);
}

async fn a_missing_program_is_told(server: Server) {
    let ended = failure(&server.ssh("/nowhere/program")).await;
    // The words are those of the user's shell.
    tells(&ended, 127, "");
    assert!(ended.stderr.contains("/nowhere/program"), "{ended}");
}

async fn an_unknown_host_is_refused(server: Server) {
    fs::write(server.path("known_hosts"), "").unwrap_or_else(|error| panic!("{error}"));
    tells(&failure(&server.ssh("true")).await, 255, ": Host key verification failed.");
}

/// With the configuration of whoever runs this, to whom the host cannot be known: its key is new.
async fn an_address_asks_nobody(server: Server) {
    let address = format!("ssh://{}@127.0.0.1:{}/true", server.user, server.port).parse();
    let address: Address = address.unwrap_or_else(|error| panic!("{error}"));
    let mut stream = Stream::connect(&address).await.unwrap_or_else(|error| panic!("{error}"));
    let Err(error) = stream.read_u8().await else { panic!("reached") };
    let ended = ChildEnded::find_in(&error).unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!(ended.status.code(), Some(255), "{ended}");
}

async fn nobody_is_told(server: Server) {
    let port = server.port;
    drop(server);
    // Its configuration is gone as well.
    let ssh = Ssh::new("127.0.0.1").port(port).option("-F").option("none").command(["true"]);
    let words = format!(": ssh: connect to host 127.0.0.1 port {port}: Connection refused");
    tells(&failure(&ssh).await, 255, &words);
}
