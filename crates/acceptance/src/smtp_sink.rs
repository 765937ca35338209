//! A mail server that stores the mails that it receives (RFC 5321, the part that a submitting client uses). It accepts every
//! sender and recipient, and a test can wait for a mail.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use mail_parser::MessageParser;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The time limit for a mail to arrive. It is generous, because a machine may be busy; a passing test never waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest message that is accepted.
const MESSAGE_LIMIT: u64 = 1024 * 1024;

/// A received mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    /// Header fields and body, not decoded.
    pub raw: String,
}

impl Mail {
    fn read(from: String, to: Vec<String>, raw: &[u8]) -> Result<Self> {
        let message = MessageParser::default().parse(raw).ok_or_else(|| anyhow!("not an RFC 5322 message"))?;
        Ok(Self {
            from,
            to,
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            html: message.body_html(0).map(std::borrow::Cow::into_owned),
            raw: String::from_utf8_lossy(raw).into_owned(),
        })
    }

    /// The first run of exactly `length` decimal digits in the text: a one-time code.
    pub fn code(&self, length: usize) -> Result<String> {
        let runs = self.text.split(|character: char| !character.is_ascii_digit());
        let code = runs.into_iter().find(|run| run.len() == length);
        code.map(str::to_owned).with_context(|| format!("no code of {length} digits in: {}", self.text))
    }

    /// The first link in the text.
    pub fn link(&self) -> Result<String> {
        let words = self.text.split_whitespace();
        let link = words.into_iter().find(|word| word.starts_with("http://") || word.starts_with("https://"));
        link.map(|link| link.trim_end_matches(['.', ',', ')', '>']).to_owned())
            .with_context(|| format!("no link in: {}", self.text))
    }
}

/// The running mail server; it stops when dropped.
#[derive(Debug)]
pub struct SmtpSink {
    address: SocketAddr,
    connection_uri: String,
    mails: watch::Receiver<Vec<Mail>>,
    _accepting: JoinSet<()>,
}

impl SmtpSink {
    pub async fn start() -> Result<Self> {
        Self::start_with(SmtpTls::None).await
    }

    pub async fn start_with(tls: SmtpTls) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen for mail")?;
        let address = listener.local_addr()?;
        let connection_uri = match &tls {
            SmtpTls::None => format!("smtp://{address}/?disable_starttls=true"),
            // The certificate is for the host name.
            SmtpTls::StartTls(_) => format!("smtp://localhost:{}/", address.port()),
            SmtpTls::Implicit(_) => format!("smtps://localhost:{}/", address.port()),
        };
        let (sender, mails) = watch::channel(Vec::new());
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, tls) = (sender.clone(), tls.clone());
                sessions.spawn(async move {
                    // Errors of a connection are ignored; the test fails when the mail is missing.
                    let _ = converse(stream, tls, &sender).await;
                });
                while sessions.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, connection_uri, mails, _accepting: accepting })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's URI for the configuration.
    pub fn connection_uri(&self) -> String {
        self.connection_uri.clone()
    }

    /// All received mails, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.borrow().clone()
    }

    /// Waits for the `nth` mail (from 1) to that address.
    pub async fn nth_to(&self, recipient: &str, nth: usize) -> Result<Mail> {
        let pick = |mails: &[Mail]| {
            let to_recipient = |mail: &&Mail| mail.to.iter().any(|to| to == recipient);
            mails.iter().filter(to_recipient).nth(nth.saturating_sub(1)).cloned()
        };
        let mut mails = self.mails.clone();
        let arrived = tokio::time::timeout(PATIENCE, mails.wait_for(|mails| pick(mails).is_some())).await;
        if let Ok(mails) = arrived {
            return pick(&mails?).context("the mail was there a moment ago");
        }
        let there: Vec<_> = self.mails().into_iter().map(|mail| (mail.to, mail.subject)).collect();
        bail!("mail {nth} to {recipient} did not arrive; there are: {there:?}")
    }

    /// The first mail to that address.
    pub async fn first_to(&self, recipient: &str) -> Result<Mail> {
        self.nth_to(recipient, 1).await
    }
}

/// When the connection to the mail server is encrypted.
#[derive(Clone)]
pub enum SmtpTls {
    None,
    /// After the command `STARTTLS` (RFC 3207).
    StartTls(TlsAcceptor),
    /// From the first byte (RFC 8314).
    Implicit(TlsAcceptor),
}

async fn converse(stream: TcpStream, tls: SmtpTls, mails: &watch::Sender<Vec<Mail>>) -> Result<()> {
    match tls {
        SmtpTls::None => Session::new(stream).serve(mails).await,
        SmtpTls::Implicit(acceptor) => Session::new(acceptor.accept(stream).await?).serve(mails).await,
        SmtpTls::StartTls(acceptor) => {
            let mut stream = BufReader::new(stream);
            for answer in ["220 localhost ESMTP", "250-localhost\r\n250 STARTTLS", "220 go ahead"] {
                stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
                if answer != "220 go ahead" {
                    stream.read_line(&mut String::new()).await?;
                }
            }
            let mut session = Session::new(acceptor.accept(stream.into_inner()).await?);
            session.is_greeted = true;
            session.serve(mails).await
        }
    }
}

/// A connection of a client.
struct Session<S> {
    stream: BufReader<S>,
    /// After `STARTTLS` the server sends no greeting.
    is_greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream), is_greeted: false, from: None, to: Vec::new() }
    }

    async fn serve(mut self, mails: &watch::Sender<Vec<Mail>>) -> Result<()> {
        if !self.is_greeted {
            self.reply("220 localhost ESMTP").await?;
        }
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let command = line.trim_end();
            let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.reply("250-localhost\r\n250-8BITMIME\r\n250 SMTPUTF8").await?,
                "HELO" | "NOOP" => self.reply("250 localhost").await?,
                "MAIL" => {
                    self.from = Some(path(rest).to_owned());
                    self.to.clear();
                    self.reply("250 sender accepted").await?;
                }
                "RCPT" if self.from.is_some() => {
                    self.to.push(path(rest).to_owned());
                    self.reply("250 recipient accepted").await?;
                }
                "DATA" if !self.to.is_empty() => {
                    self.reply("354 end with a line that holds only a dot").await?;
                    let mail = self.data().await?;
                    mails.send_modify(|mails| mails.push(mail));
                    self.reply("250 kept").await?;
                }
                "RCPT" | "DATA" => self.reply("503 bad sequence of commands").await?,
                "RSET" => {
                    self.from = None;
                    self.to.clear();
                    self.reply("250 forgotten").await?;
                }
                "QUIT" => return self.reply("221 goodbye").await,
                _ => self.reply("502 command not implemented").await?,
            }
        }
    }

    /// Reads the message up to the line with a single dot and removes doubled dots (RFC 5321 section 4.5.2).
    async fn data(&mut self) -> Result<Mail> {
        let mut raw = Vec::new();
        let mut limited = (&mut self.stream).take(MESSAGE_LIMIT);
        loop {
            let mut line = Vec::new();
            if limited.read_until(b'\n', &mut line).await? == 0 {
                bail!("the message does not end, or is too long");
            }
            if line == b".\r\n" {
                return Mail::read(self.from.take().unwrap_or_default(), std::mem::take(&mut self.to), &raw);
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    async fn reply(&mut self, text: &str) -> Result<()> {
        Ok(self.stream.write_all(format!("{text}\r\n").as_bytes()).await?)
    }
}

/// The address between the angle brackets of `FROM:<a@b>` or `TO:<a@b>`.
fn path(argument: &str) -> &str {
    argument.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONVERSATION: &[(&str, &str)] = &[
        ("", "220"),
        ("EHLO tester", "250-"),
        ("DATA", "503"),
        ("MAIL FROM:<no-reply@example.org> BODY=8BITMIME", "250"),
        ("RCPT TO:<alice@example.org>", "250"),
        ("DATA", "354"),
        (
            "From: no-reply@example.org\r\nTo: alice@example.org\r\nSubject: =?utf-8?q?Your_code?=\r\n\
             Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
             Code 123456=\r\n.. See http://localhost/verify?code=3D123456.\r\n..\r\n.",
            "250",
        ),
        ("VRFY", "502"),
        ("QUIT", "221"),
    ];

    #[tokio::test]
    async fn a_mail_is_kept_and_decoded() {
        let sink = SmtpSink::start().await.unwrap();
        let mut stream = BufReader::new(TcpStream::connect(sink.address()).await.unwrap());
        for (command, expected) in CONVERSATION {
            if !command.is_empty() {
                stream.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
            }
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                assert!(line.starts_with(&expected[..3]), "{command}: {line}");
                if line.as_bytes()[3] == b' ' {
                    break;
                }
            }
        }
        let mail = sink.first_to("alice@example.org").await.unwrap();
        assert_eq!((mail.from.as_str(), mail.subject.as_str()), ("no-reply@example.org", "Your code"));
        assert_eq!(mail.code(6).unwrap(), "123456");
        assert_eq!(mail.link().unwrap(), "http://localhost/verify?code=123456");
        assert_eq!(mail.text, "Code 123456. See http://localhost/verify?code=123456.\r\n.\r\n");
    }
}
