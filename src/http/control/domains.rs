//! Sending domains: added with DKIM keys, told what signs, listed with the records that belong into the DNS.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use sealpost_domain::Personal;
use sealpost_domain::address::DomainName;
use sealpost_domain::ids::AccountId;
use sealpost_domain::metadata::Metadata;
use sealpost_domain::sending_domain::{DkimAlgorithm, DkimKey, DkimSigning, OwnershipProof, SendingDomainCommand};
use serde_json::{Value, json};

use super::ControlParts;
use super::call::{account, answer, members, operator, query};
use crate::actors::{Admission, DkimView, DomainView, Manage, Managed};
use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::fields::Fields;

/// `GET /domains`
pub(super) async fn list(request: HttpRequest, parts: web::Data<ControlParts>) -> HttpResponse {
    let listed = async {
        let account = account(&parts, query(&request).remove("account")).await?;
        let metadata = operator(&parts, &request, Some(account));
        let domains = domains(&parts, account, metadata).await?;
        let shown: Vec<Value> = domains.iter().map(|view| shown(&parts, view)).collect();
        Ok(json!({ "domains": shown }))
    };
    answer(&request, listed.await)
}

/// `POST /domains`
pub(super) async fn add(request: HttpRequest, payload: web::Payload, parts: web::Data<ControlParts>) -> HttpResponse {
    let added = async {
        let mut fields = members(&parts, payload).await?;
        let account = account(&parts, fields.text("account")?).await?;
        let domain = fields
            .parsed("domain", read_domain)?
            .ok_or_else(|| fields.missing("domain"))?;
        let signing = read_signing(&mut fields)?.unwrap_or_default();
        fields.finish()?;
        let work = Change::of(&parts, &request, account, domain);
        work.add(signing).await?;
        work.shown().await
    };
    answer(&request, added.await)
}

/// `POST /domains/{domain}/dkim`
pub(super) async fn sign(
    request: HttpRequest,
    named: web::Path<String>,
    payload: web::Payload,
    parts: web::Data<ControlParts>,
) -> HttpResponse {
    let chosen = async {
        let mut fields = members(&parts, payload).await?;
        let account = account(&parts, fields.text("account")?).await?;
        let signing = read_signing(&mut fields)?.ok_or_else(|| fields.missing("dkim"))?;
        fields.finish()?;
        let domain = read_domain(&named).map_err(|_| ErrorCode::UnknownDomain)?;
        let work = Change::of(&parts, &request, account, domain);
        let view = work.view().await?.ok_or(ErrorCode::UnknownDomain)?;
        work.sign(Some(&view), signing).await?;
        work.shown().await
    };
    answer(&request, chosen.await)
}

fn read_signing(fields: &mut Fields) -> Result<Option<DkimSigning>, Fault> {
    Ok(Some(match fields.text("dkim")?.as_deref() {
        None => return Ok(None),
        Some("rsa") => DkimSigning::Rsa,
        Some("ed25519") => DkimSigning::Ed25519,
        Some("both") => DkimSigning::Both,
        Some("none") => DkimSigning::None,
        Some(_) => return Err(fields.wrong("dkim", "Please enter rsa, ed25519, both or none")),
    }))
}

fn read_domain(text: &str) -> Result<DomainName, sealpost_domain::address::AddressRefusal> {
    let ascii = idna::domain_to_ascii(text).map_err(|_| sealpost_domain::address::AddressRefusal::BadDomain)?;
    DomainName::parse(&ascii)
}

/// A change of one domain, made of steps of which each is on record before the next.
struct Change<'a> {
    parts: &'a ControlParts,
    account: AccountId,
    metadata: Arc<Metadata>,
    domain: DomainName,
}

impl<'a> Change<'a> {
    fn of(parts: &'a ControlParts, request: &HttpRequest, account: AccountId, domain: DomainName) -> Self {
        Self {
            parts,
            account,
            metadata: operator(parts, request, Some(account)),
            domain,
        }
    }

    async fn give(&self, command: SendingDomainCommand) -> Result<(), Admission> {
        let manage = Manage::Domain(self.domain.clone(), command);
        let accounts = &self.parts.front.accounts;
        accounts
            .manage(self.account, self.metadata.clone(), manage)
            .await
            .map(drop)
    }

    async fn view(&self) -> Result<Option<DomainView>, Fault> {
        let all = domains(self.parts, self.account, self.metadata.clone()).await?;
        Ok(all.into_iter().find(|view| view.domain == self.domain))
    }

    async fn shown(&self) -> Result<Value, Fault> {
        let view = self.view().await?.ok_or(ErrorCode::UnknownDomain)?;
        Ok(shown(self.parts, &view))
    }

    /// Takes the steps that are still missing, so that a command that was cut off can be given again. That the domain is
    /// the account's comes last: it says that the steps before it are done.
    async fn add(&self, signing: DkimSigning) -> Result<(), Fault> {
        let view = self.view().await?;
        let signs = |view: &DomainView| !view.dkim.is_empty() || view.signing == DkimSigning::None;
        if view.as_ref().is_some_and(|view| view.verified && signs(view)) {
            return Err(Fault::from(ErrorCode::AlreadyExists).with_detail("The domain was added already"));
        }
        if view.is_none() {
            let domain = self.domain.clone();
            self.give(SendingDomainCommand::AddDomain { domain }).await?;
        }
        self.sign(view.as_ref(), signing).await?;
        if view.is_none_or(|view| !view.verified) {
            let proof = OwnershipProof::Operator;
            self.give(SendingDomainCommand::VerifyOwnership { proof }).await?;
        }
        Ok(())
    }

    /// Makes the keys that a choice needs and that are not there, and chooses.
    async fn sign(&self, view: Option<&DomainView>, signing: DkimSigning) -> Result<(), Fault> {
        let has = |algorithm| view.is_some_and(|view| view.dkim.iter().any(|key| key.algorithm == algorithm));
        for algorithm in signing.needs() {
            if !has(*algorithm) {
                self.mint(*algorithm).await?;
            }
        }
        if view.map_or_else(DkimSigning::default, |view| view.signing) != signing {
            self.give(SendingDomainCommand::ChooseSigning { signing }).await?;
        }
        Ok(())
    }

    async fn mint(&self, algorithm: DkimAlgorithm) -> Result<(), Fault> {
        let mint = self.parts.dkim.clone();
        let work = move || {
            mint.mint(algorithm)
                .map_err(|failure| Fault::of_failure(ErrorCode::Internal, "making a DKIM key", &failure))
        };
        let minted = self.parts.front.desk.work().run(work).await?;
        let selector = minted.selector.clone();
        let key = DkimKey {
            selector: minted.selector,
            algorithm: minted.algorithm.as_str().to_owned(),
            public_key: minted.public_key,
            private_key: Personal::Known(minted.private_key.as_str().to_owned()),
        };
        self.give(SendingDomainCommand::CreateDkimKey(Box::new(key))).await?;
        self.give(SendingDomainCommand::ActivateDkimKey { selector }).await?;
        Ok(())
    }
}

async fn domains(parts: &ControlParts, account: AccountId, metadata: Arc<Metadata>) -> Result<Vec<DomainView>, Fault> {
    match parts
        .front
        .accounts
        .manage(account, metadata, Manage::ListDomains)
        .await?
    {
        Managed::Domains(domains) => Ok(domains),
        Managed::Done { .. } | Managed::Frozen { .. } | Managed::Keys(_) => Err(ErrorCode::Internal.into()),
    }
}

fn shown(parts: &ControlParts, view: &DomainView) -> Value {
    let key = |key: &DkimView| {
        let (name, text) = parts.dkim.record(&view.domain, key);
        json!({
            "selector": key.selector,
            "algorithm": key.algorithm.as_str(),
            "signs": view.signing.covers(key.algorithm.as_str()),
            "record_name": name,
            "record_text": text,
        })
    };
    let keys: Vec<Value> = view.dkim.iter().map(key).collect();
    json!({ "domain": view.domain, "verified": view.verified, "signing": view.signing, "dkim": keys })
}
