//! Git's protocol over SSH, without an `ssh` program.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use gix::protocol::transport::client::git::ConnectMode;
use gix::protocol::transport::client::git::blocking_io::Connection;
use parking_lot::Mutex;
use russh::client::{self, AuthResult, Handler};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Preferred};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::credentials::Credentials;
use crate::known_hosts::{KnownHosts, all_algorithms};
use crate::transport::proxy::{Way, way_to};
use crate::transport::ssh_key;
use crate::transport::{Budget, Failure, GitTransport};

/// Messages that wait for the reader before the server has to.
const WAITING_MESSAGES_MAX: usize = 64;
/// What a server's complaint may take.
const COMPLAINT_BYTES_MAX: usize = 4096;

/// Where to log in, and what to read there.
pub(crate) struct Login<'a> {
    pub(crate) user: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// As the server's shell is told it.
    pub(crate) path: &'a str,
    pub(crate) credentials: &'a Credentials,
}

/// Logs in and starts the server's side of git's protocol.
///
/// Why it failed is left in the budget.
pub(crate) async fn transport(login: Login<'_>, budget: Arc<Budget>) -> io::Result<GitTransport> {
    let session = budget.within(log_in(&login, &budget)).await??;
    let started = budget.within(start(&session, login.path)).await?;
    let (reader, writer) = started.map_err(|error| unreachable(&budget, &error))?;

    let (sender, messages) = mpsc::channel(WAITING_MESSAGES_MAX);
    let ending = Arc::<Mutex<Ending>>::default();
    tokio::spawn(pass_on(reader, sender, ending.clone()));
    let runtime = Handle::current();
    let incoming = Incoming {
        runtime: runtime.clone(),
        budget: budget.clone(),
        messages,
        ending,
        current: io::Cursor::default(),
    };
    let outgoing = Outgoing { runtime, budget, writer, _session: session };
    let version = gix::protocol::transport::Protocol::V2;
    let connection = Connection::new(
        incoming,
        outgoing,
        version,
        login.path,
        None::<(String, Option<u16>)>,
        ConnectMode::Process,
        false,
    );
    let url = format!("ssh://{}@{}:{}/", login.user, login.host, login.port);
    Ok(Box::new(connection.custom_url(Some(url.into()))))
}

type Session = client::Handle<HostCheck>;

async fn log_in(login: &Login<'_>, budget: &Arc<Budget>) -> io::Result<Session> {
    let credentials = login.credentials;
    let known = KnownHosts::parse(&credentials.ssh_known_hosts);
    let mut config = client::Config { nodelay: true, ..client::Config::default() };
    config.preferred = Preferred {
        key: Cow::Owned(known.preferred(login.host, login.port)),
        ..Preferred::DEFAULT
    };
    if known.has_authority(login.host, login.port) && !credentials.insecure_ignore_host_key {
        config.preferred.host_key_certificates = Cow::Owned(all_algorithms());
    }
    let check = HostCheck {
        host: login.host.to_owned(),
        port: login.port,
        known: (!credentials.insecure_ignore_host_key && !credentials.insecure).then_some(known),
        budget: budget.clone(),
    };
    let stream = connect(login, budget).await?;
    let mut session = client::connect_stream(Arc::new(config), stream, check)
        .await
        .map_err(|error| unreachable(budget, &error))?;

    let answer = authenticate(&mut session, login, budget).await?;
    match answer {
        AuthResult::Success => Ok(session),
        AuthResult::Failure { .. } => {
            let how = if credentials.ssh_private_key.is_empty() { "no key" } else { "the key" };
            let reason = format!("ssh: unable to authenticate `{}` with {how}", login.user);
            Err(budget.fail(Failure::AccessRefused(reason)))
        }
    }
}

async fn authenticate(
    session: &mut Session,
    login: &Login<'_>,
    budget: &Budget,
) -> io::Result<AuthResult> {
    let credentials = login.credentials;
    let answer = if !credentials.ssh_private_key.is_empty() {
        let key = ssh_key::read(&credentials.ssh_private_key).map_err(|error| {
            let reason = format!("the SSH private key cannot be read: {error}");
            budget.fail(Failure::BadCredentials(reason))
        })?;
        let hash = match session.best_supported_rsa_hash().await {
            Ok(hash) => hash.flatten(),
            Err(error) => return Err(unreachable(budget, &error)),
        };
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
        session.authenticate_publickey(login.user, key).await
    } else if !credentials.password.is_empty() {
        session.authenticate_password(login.user, &credentials.password).await
    } else {
        session.authenticate_none(login.user).await
    };
    answer.map_err(|error| unreachable(budget, &error))
}

async fn connect(login: &Login<'_>, budget: &Budget) -> io::Result<TcpStream> {
    let failed = |error: io::Error| {
        let reason = format!("{}:{}: {error}", login.host, login.port);
        budget.fail(Failure::Unreachable(reason))
    };
    let bad = |reason: String| budget.fail(Failure::BadCredentials(reason));
    let stream = match way_to(login.credentials, login.host, login.port).map_err(bad)? {
        Way::Direct | Way::Environment => {
            TcpStream::connect((login.host, login.port)).await.map_err(failed)?
        }
        Way::Through(proxy) if proxy.scheme().starts_with("socks5") => {
            socks5(&proxy, login.host, login.port).await.map_err(failed)?
        }
        // Upstream reaches SSH servers through SOCKS alone, too.
        Way::Through(_) => return Err(budget.fail(Failure::NotBuilt("ssh through an HTTP proxy"))),
    };
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

/// Asks a SOCKS5 proxy (RFC 1928, RFC 1929) for a connection.
async fn socks5(proxy: &url::Url, host: &str, port: u16) -> io::Result<TcpStream> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const VERSION: u8 = 5;
    const NO_LOGIN: u8 = 0;
    const PASSWORD_LOGIN: u8 = 2;
    let refused = |why: &str| io::Error::other(format!("the SOCKS proxy {why}"));
    let short =
        |text: &str| u8::try_from(text.len()).map_err(|_| refused("is told too long a name"));

    let proxy_host = proxy.host_str().unwrap_or("").trim_matches(['[', ']']).to_owned();
    let mut stream = TcpStream::connect((proxy_host, proxy.port().unwrap_or(1080))).await?;
    let method = if proxy.username().is_empty() { NO_LOGIN } else { PASSWORD_LOGIN };
    stream.write_all(&[VERSION, 1, method]).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    if answer != [VERSION, method] {
        return Err(refused("wants another way to log in"));
    }
    if method == PASSWORD_LOGIN {
        let (user, password) = (proxy.username(), proxy.password().unwrap_or(""));
        let mut login = vec![1, short(user)?];
        login.extend(user.bytes());
        login.push(short(password)?);
        login.extend(password.bytes());
        stream.write_all(&login).await?;
        stream.read_exact(&mut answer).await?;
        if answer[1] != 0 {
            return Err(refused("refused the login"));
        }
    }
    const CONNECT: u8 = 1;
    const BY_NAME: u8 = 3;
    let mut request = vec![VERSION, CONNECT, 0, BY_NAME, short(host)?];
    request.extend(host.bytes());
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    if head[1] != 0 {
        return Err(refused(&format!("could not connect (code {})", head[1])));
    }
    // The address it connected from, which nobody needs.
    let address_len = match head[3] {
        1 => 4,
        4 => 16,
        _ => usize::from(stream.read_u8().await?),
    };
    let mut address = vec![0; address_len + 2];
    stream.read_exact(&mut address).await?;
    Ok(stream)
}

async fn start(
    session: &Session,
    path: &str,
) -> Result<(ChannelReadHalf, ChannelWriteHalf<client::Msg>), russh::Error> {
    let channel = session.channel_open_session().await?;
    // A server that does not know the variable speaks the older protocol, which is fine too.
    channel.set_env(false, "GIT_PROTOCOL", "version=2").await?;
    let quoted = path.replace('\'', r"'\''");
    channel.exec(false, format!("git-upload-pack '{quoted}'")).await?;
    Ok(channel.split())
}

fn unreachable(budget: &Budget, error: &russh::Error) -> io::Error {
    budget.fail(Failure::Unreachable(crate::error::chain(error)))
}

/// Decides whether the server is who it should be.
struct HostCheck {
    host: String,
    port: u16,
    /// `None` believes anybody.
    known: Option<KnownHosts>,
    budget: Arc<Budget>,
}

impl Handler for HostCheck {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let Some(known) = &self.known else { return Ok(true) };
        let checked = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                known.check_key(&self.host, self.port, key)
            }
            PublicKeyOrCertificate::Certificate(certificate) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                known.check_certificate(&self.host, self.port, certificate, now.as_secs())
            }
        };
        if let Err(reason) = &checked {
            self.budget.fail(Failure::HostKey(reason.clone()));
        }
        Ok(checked.is_ok())
    }
}

/// How the server's program ended.
#[derive(Default)]
struct Ending {
    status: Option<u32>,
    complaint: Vec<u8>,
}

/// Hands what the server sends to the thread that reads it.
async fn pass_on(
    mut reader: ChannelReadHalf,
    sender: mpsc::Sender<Vec<u8>>,
    ending: Arc<Mutex<Ending>>,
) {
    while let Some(message) = reader.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                let sent = sender.send(data.to_vec()).await;
                if sent.is_err() {
                    return;
                }
            }
            ChannelMsg::ExtendedData { data, .. } => {
                let complaint = &mut ending.lock().complaint;
                let room = COMPLAINT_BYTES_MAX.saturating_sub(complaint.len());
                complaint.extend_from_slice(&data[..data.len().min(room)]);
            }
            ChannelMsg::ExitStatus { exit_status } => {
                ending.lock().status = Some(exit_status);
            }
            _ => {}
        }
    }
}

struct Incoming {
    runtime: Handle,
    budget: Arc<Budget>,
    messages: mpsc::Receiver<Vec<u8>>,
    ending: Arc<Mutex<Ending>>,
    current: io::Cursor<Vec<u8>>,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.position() == self.current.get_ref().len() as u64 {
            let Some(next) = self.budget.wait(&self.runtime, self.messages.recv())? else {
                return self.ended();
            };
            self.budget.spend(next.len())?;
            self.current = io::Cursor::new(next);
        }
        self.current.read(buffer)
    }
}

impl Incoming {
    fn ended(&self) -> io::Result<usize> {
        let ending = self.ending.lock();
        if ending.status.is_none_or(|status| status == 0) {
            return Ok(0);
        }
        let complaint = String::from_utf8_lossy(&ending.complaint);
        let reason = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
        let says = |words: &[&str]| {
            let lower = reason.to_lowercase();
            words.iter().any(|word| lower.contains(word))
        };
        let failure = if says(&["not found", "does not exist", "not appear to be a git"]) {
            Failure::NotFound(reason)
        } else if says(&["denied", "not authorized", "forbidden"]) {
            Failure::AccessRefused(reason)
        } else {
            Failure::Unreachable(format!("git on the server ended: {reason}"))
        };
        Err(self.budget.fail(failure))
    }
}

struct Outgoing {
    runtime: Handle,
    budget: Arc<Budget>,
    writer: ChannelWriteHalf<client::Msg>,
    /// The connection ends with it.
    _session: Session,
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.budget.wait(&self.runtime, self.writer.data_bytes(bytes.to_vec()))?;
        sent.map_err(|error| unreachable(&self.budget, &error))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
