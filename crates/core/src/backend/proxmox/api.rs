//! The driver: carries calls to a node of the cluster with the account's credentials.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::sync::Mutex;

use super::account::{Account, Freshness, Identity, Login, User};
use super::refusal::{self, Question, Step, refusal};
use super::wire::{self, Call, Refusal};
use crate::links::ApiAddress;
use crate::net::http::{Answer, ApiClient, Request, Unanswered};
use crate::net::process::PerProcess;
use crate::net::proxy::Proxy;
use crate::net::tls::Trust;
use crate::{Code, Error, Result, Secret};

/// A node could not be asked because its daemon, or the node behind it, is down: nothing has happened
/// (pve-http-server, `AnyEvent.pm`).
const NODE_IS_DOWN: u16 = 595;

/// Tells the age of a ticket; tests have their own.
pub(super) type Clock = Box<dyn Fn() -> Instant + Send + Sync>;

/// The cluster's API.
pub(super) struct Api {
    hosts: Vec<ApiAddress>,
    account: Account,
    trust: Arc<Trust>,
    proxy: Option<Arc<Proxy>>,
    timeout: Duration,
    /// Which of `hosts` answered last. The next call begins with it.
    good: AtomicUsize,
    live: PerProcess<Live>,
    clock: Clock,
}

/// What a forked child needs anew.
struct Live {
    client: ApiClient,
    logins: Mutex<Logins>,
    /// How many logins were tried, whatever came of them.
    attempts: AtomicUsize,
}

/// An answer that said yes, with all that a console needs to come back to where it came from.
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) host: ApiAddress,
    pub(super) identity: Identity,
}

/// What a server said, for those who can mend a no.
pub(super) enum Outcome {
    Yes(Reply),
    No { said: Refusal, error: Error },
}

struct Logins {
    current: Option<Arc<Login>>,
    /// How the last login failed, if it did.
    failure: Option<Failure>,
}

/// An error that can be told to everyone who waited for the same login.
struct Failure {
    code: Code,
    message: String,
    hint: String,
    status: Option<u16>,
}

impl Api {
    pub(super) fn new(
        hosts: Vec<ApiAddress>,
        account: Account,
        trust: Arc<Trust>,
        proxy: Option<Arc<Proxy>>,
        timeout: Duration,
        clock: Clock,
    ) -> Self {
        Self { hosts, account, trust, proxy, timeout, good: AtomicUsize::new(0), live: PerProcess::new(), clock }
    }

    /// The account's name.
    pub(super) fn account(&self) -> &str {
        self.account.name()
    }

    /// What calls are sent with, and the nodes in the order in which the next one tries them.
    pub(super) fn nodes(&self) -> Result<(&ApiClient, Vec<&ApiAddress>)> {
        let start = self.good.load(Ordering::Relaxed) % self.hosts.len();
        let (later, first) = self.hosts.split_at(start);
        Ok((&self.live()?.client, first.iter().chain(later).collect()))
    }

    /// Asks one thing, and makes an error of a refusal.
    pub(super) async fn ask(&self, call: &Call, step: Step, what: &str) -> Result<Reply> {
        match self.put(call, step, what).await? {
            Outcome::Yes(reply) => Ok(reply),
            Outcome::No { error, .. } => Err(error),
        }
    }

    /// Asks one thing. A ticket that is no longer good is replaced once.
    pub(super) async fn put(&self, call: &Call, step: Step, what: &str) -> Result<Outcome> {
        let mut identity = self.identity(None).await?;
        let (mut answer, mut host) = self.send(call, Some(&identity)).await?;
        if let (401, Identity::Login(stale)) = (answer.status, &identity)
            && (stale.is_taken_over() || !self.account.is_ticket_alone())
        {
            tracing::debug!(what, "proxmox: the ticket is no longer good; logging in again");
            identity = self.identity(Some(&Arc::clone(stale))).await?;
            (answer, host) = self.send(call, Some(&identity)).await?;
        }
        if answer.status == 200 {
            let host = host.clone();
            return Ok(Outcome::Yes(Reply { answer, host, identity }));
        }
        let headers = identity.headers(true);
        let question = Question {
            step,
            what,
            account: self.account.name(),
            is_ticket_alone: self.account.is_ticket_alone(),
            secrets: headers.iter().map(|(_, value)| value.expose()).collect(),
        };
        let said = wire::read_refusal(answer.status, &answer.reason, &answer.body);
        let error = refusal(&question, &said);
        Ok(Outcome::No { said, error })
    }

    /// The credentials to use now; `stale` are those that were just refused.
    ///
    /// One login at a time: whoever comes while it runs waits and shares what came of it, be it a ticket or an error.
    async fn identity(&self, stale: Option<&Arc<Login>>) -> Result<Identity> {
        let user = match &self.account {
            Account::Token { header, .. } => return Ok(Identity::Token(header.clone())),
            Account::User(user) => user,
        };
        let live = self.live()?;
        let seen = live.attempts.load(Ordering::Acquire);
        let mut logins = live.logins.lock().await;
        let current = logins.current.clone().filter(|login| stale.is_none_or(|stale| !Arc::ptr_eq(stale, login)));
        let freshness = current.as_ref().map(|login| login.freshness((self.clock)()));
        if let (Some(login), Some(Freshness::Fresh)) = (&current, freshness) {
            return Ok(Identity::Login(Arc::clone(login)));
        }
        // A ticket that only could not be renewed in time is still good for this call, and for the next attempt.
        let spare = current
            .clone()
            .filter(|login| stale.is_none() && login.is_complete() && freshness == Some(Freshness::Renewable));
        let fallen_back =
            |code| spare.filter(|_| matches!(code, Code::Unreachable | Code::Timeout)).map(Identity::Login);
        if let (true, Some(failure)) = (live.attempts.load(Ordering::Acquire) != seen, &logins.failure) {
            return fallen_back(failure.code).ok_or_else(|| failure.error());
        }
        let outcome = match (current, freshness) {
            (Some(login), Some(Freshness::Renewable)) => match (self.log_in(user, &login.ticket).await, &user.password)
            {
                // The user may have been locked out and let in again, or the key rotated: the password decides.
                (Err(error), Some(password)) if error.code() == Code::AuthFailed => self.log_in(user, password).await,
                (outcome, _) => outcome,
            },
            // Of a ticket that was taken over, the CSRF token may be all that was refused: it may still renew itself.
            _ => match user.password.as_ref().or(stale.map(|stale| &stale.ticket)) {
                Some(credential) => self.log_in(user, credential).await,
                None => Err(refusal::lost(&user.name, "it was not renewed in time")),
            },
        };
        live.attempts.fetch_add(1, Ordering::AcqRel);
        match outcome {
            Ok(login) => {
                let login = Arc::new(login);
                logins.current = Some(Arc::clone(&login));
                logins.failure = None;
                Ok(Identity::Login(login))
            }
            Err(error) => {
                // One that is all there is may have been refused for a passing reason, such as a cluster without a quorum.
                if stale.is_some() && user.password.is_some() {
                    logins.current = None;
                }
                logins.failure = Some(Failure::of(&error));
                let spare = fallen_back(error.code());
                if spare.is_some() {
                    tracing::warn!(%error, "proxmox: the login could not be renewed yet");
                }
                spare.ok_or(error)
            }
        }
    }

    async fn log_in(&self, user: &User, password: &Secret) -> Result<Login> {
        let name = &user.name;
        let (answer, _) = self.send(&wire::login(name, password), None).await?;
        if answer.status != 200 {
            let question = Question {
                step: Step::Login,
                what: "login",
                account: name,
                is_ticket_alone: user.password.is_none(),
                secrets: vec![password.expose()],
            };
            return Err(refusal(&question, &wire::read_refusal(answer.status, &answer.reason, &answer.body)));
        }
        let read = wire::read_login(name, &answer.body)?;
        Ok(Login::new(read.ticket, read.csrf, (self.clock)()))
    }

    /// Sends a call to the node that answered last, and to the others in order while nobody has taken it.
    async fn send(&self, call: &Call, identity: Option<&Identity>) -> Result<(Answer, &ApiAddress)> {
        let client = &self.live()?.client;
        let start = self.good.load(Ordering::Relaxed);
        let mut failures: Vec<Error> = Vec::new();
        for step in 0..self.hosts.len() {
            let index = (start + step) % self.hosts.len();
            let host = &self.hosts[index];
            let last = step + 1 == self.hosts.len();
            let request = Request {
                method: call.method.clone(),
                server: host.authority(),
                url: host.url(&call.path),
                headers: identity.map_or_else(Vec::new, |identity| identity.headers(call.method != Method::GET)),
                form: call.form.clone(),
            };
            match client.send(request).await {
                Ok(answer) if answer.status == NODE_IS_DOWN && !last => {
                    failures.push(Error::new(Code::Unreachable, format!("{}: {}", host.authority(), answer.reason)));
                }
                Ok(answer) => {
                    self.good.store(index, Ordering::Relaxed);
                    return Ok((answer, host));
                }
                Err(Unanswered { error, sent: false }) if matches!(error.code(), Code::Unreachable | Code::Timeout) => {
                    tracing::debug!(%error, "proxmox: a node cannot be reached");
                    failures.push(error);
                }
                Err(Unanswered { error, .. }) => return Err(error),
            }
        }
        Err(unreachable(failures))
    }

    fn taken_over(&self) -> Option<Arc<Login>> {
        match &self.account {
            Account::User(user) => user.taken_over.clone(),
            Account::Token { .. } => None,
        }
    }

    fn live(&self) -> Result<&Live> {
        self.live.get(|| {
            Ok(Live {
                client: match &self.proxy {
                    Some(proxy) => ApiClient::through(proxy, &self.trust, self.timeout),
                    None => ApiClient::new(&self.trust, self.timeout)?,
                },
                logins: Mutex::new(Logins { current: self.taken_over(), failure: None }),
                attempts: AtomicUsize::new(0),
            })
        })
    }
}

/// One error for all nodes; of a single node its own.
fn unreachable(mut failures: Vec<Error>) -> Error {
    if failures.len() > 1 {
        let all: Vec<String> = failures.iter().map(Error::to_string).collect();
        return Error::new(Code::Unreachable, format!("proxmox: no node answers: {}", all.join("; ")));
    }
    failures.pop().unwrap_or_else(|| Error::new(Code::Internal, "proxmox: there is no node to ask"))
}

impl Failure {
    fn of(error: &Error) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            hint: error.hint().to_owned(),
            status: error.http_status(),
        }
    }

    fn error(&self) -> Error {
        let error = Error::new(self.code, &*self.message).with_hint(&*self.hint);
        match self.status {
            Some(status) => error.with_http_status(status),
            None => error,
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("hosts", &self.hosts).field("account", &self.account).finish_non_exhaustive()
    }
}
