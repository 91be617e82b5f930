//! The words of the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sealpost_domain::ids::{AccountId, KeyId, MessageId};

/// Self-hosted transactional mail: every act is an event in one append-only log.
#[derive(Debug, Parser)]
#[command(name = "sealpost", version, about, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the data lies; stands in every command.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Data folder.
    #[arg(long, value_name = "DIR", env = "SEALPOST_DATA", conflicts_with = "config")]
    pub data: Option<PathBuf>,
    /// Configuration file.
    #[arg(long, value_name = "FILE", env = "SEALPOST_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// Make the master key if there is none yet.
        #[arg(long)]
        init: bool,
    },
    /// Run a seeded server with receivers of its own on loopback.
    Demo(DemoArguments),
    /// Accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Sending domains.
    #[command(subcommand)]
    Domain(DomainCommand),
    /// API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Messages.
    #[command(subcommand)]
    Message(MessageCommand),
    /// The queue.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// The log.
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// How the demo runs.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Data folder; goes on where it stopped.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Address of the plain HTTP listener.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8025")]
    pub http: SocketAddr,
    /// Address of the HTTPS listener.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8026")]
    pub https: SocketAddr,
    /// Address of the SMTP submission listener.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:2525")]
    pub smtp: SocketAddr,
}

/// Accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Open an account with its first owner.
    Create {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// Name of the account.
        #[arg(long)]
        name: String,
        /// Address that the owner signs in with, and that notices go to.
        #[arg(long)]
        login: String,
        /// Read the owner's password from standard input instead of drawing one.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Choose what protection the account's mail demands, from the next attempt on.
    Tls {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// The account.
        account: AccountId,
        /// What it demands.
        #[arg(value_enum)]
        tls: TlsChoice,
    },
    /// Let an account go again that was parked after repeated failures.
    Unpark {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// The account.
        account: AccountId,
    },
}

/// What protection an account's mail demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsChoice {
    /// TLS where it is to be had; clear text at once only where it is not offered.
    Default,
    /// Never clear text; any certificate will do.
    Always,
    /// Never anything but TLS with a valid certificate.
    Authenticated,
    /// As default, and clear text at once where a server offers TLS and refuses to begin it.
    Immediate,
}

/// Sending domains.
#[derive(Debug, Subcommand)]
pub enum DomainCommand {
    /// Add a domain, vouch for its ownership, and make the DKIM keys that sign for it.
    Add {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// The account.
        #[arg(long)]
        account: AccountId,
        /// Which keys sign.
        #[arg(long, value_enum, default_value = "both")]
        dkim: Signing,
        /// The domain.
        domain: String,
    },
    /// List the domains of an account, with the DNS records of their keys.
    List {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// The account.
        #[arg(long)]
        account: AccountId,
    },
    /// Choose which keys sign a domain's mail; what is not there yet is made.
    Dkim {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// The account.
        #[arg(long)]
        account: AccountId,
        /// The domain.
        domain: String,
        /// Which keys sign.
        #[arg(value_enum)]
        signing: Signing,
    },
}

/// Which DKIM keys sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Signing {
    /// RSA alone.
    Rsa,
    /// Ed25519 alone: receivers that verify RSA alone see no signature.
    Ed25519,
    /// Both, with one signature each.
    Both,
    /// None, because a relay on the way signs.
    None,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum World {
    /// Real mail.
    Live,
    /// Mail that never leaves the built-in sink.
    Test,
}

/// API keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Issue a key; it is shown once.
    Issue {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// The account.
        #[arg(long)]
        account: AccountId,
        /// A name for it.
        #[arg(long)]
        label: String,
        /// A management key (`spm_`) instead of a sending one.
        #[arg(long)]
        management: bool,
        /// Which world it acts in.
        #[arg(long, value_enum, default_value = "live")]
        world: World,
    },
    /// List the keys of an account.
    List {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// The account.
        #[arg(long)]
        account: AccountId,
    },
    /// End a key for ever.
    Revoke(KeyChange),
    /// Hold what a key sends.
    Freeze(KeyChange),
    /// Let a key send again.
    Thaw(KeyChange),
}

/// A change of one key.
#[derive(Debug, Args)]
pub struct KeyChange {
    /// Where the data lies.
    #[command(flatten)]
    pub place: Place,
    /// The account.
    #[arg(long)]
    pub account: AccountId,
    /// The key's id, as `key list` shows it.
    pub key: KeyId,
    /// Why; kept in the log.
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// Messages.
#[derive(Debug, Subcommand)]
pub enum MessageCommand {
    /// Show what became of a message.
    Show {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// The message's id.
        message: MessageId,
    },
}

/// The queue.
#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// List what waits.
    List {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
    },
    /// Keep a message from going out.
    Hold(QueueChange),
    /// Let a message go again.
    Release(QueueChange),
}

/// A change of one message.
#[derive(Debug, Args)]
pub struct QueueChange {
    /// Where the data lies.
    #[command(flatten)]
    pub place: Place,
    /// The message's id.
    pub message: MessageId,
}

/// The log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Rebuild the read models from the log and compare them with the live ones.
    Rebuild {
        /// Where the data lies.
        #[command(flatten)]
        place: Place,
        /// Compare only; leave the live ones as they are.
        #[arg(long)]
        check: bool,
    },
}
