//! Sending domains: added with a DKIM key, listed with the records that belong into the DNS.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use sealpost_domain::Personal;
use sealpost_domain::address::DomainName;
use sealpost_domain::ids::AccountId;
use sealpost_domain::metadata::Metadata;
use sealpost_domain::sending_domain::{DkimKey, OwnershipProof, SendingDomainCommand};
use serde_json::{Value, json};

use super::ControlParts;
use super::call::{account, answer, members, operator, query};
use crate::actors::{Admission, DomainView, Manage, Managed};
use crate::http::error_code::ErrorCode;
use crate::http::fault::Fault;
use crate::http::ports::MintedDkim;

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
        fields.finish()?;
        let metadata = operator(&parts, &request, Some(account));
        complete(&parts, account, &metadata, &domain).await?;
        let domains = domains(&parts, account, metadata).await?;
        let view = domains
            .iter()
            .find(|view| view.domain == domain)
            .ok_or(ErrorCode::UnknownDomain)?;
        Ok(shown(&parts, view))
    };
    answer(&request, added.await)
}

fn read_domain(text: &str) -> Result<DomainName, sealpost_domain::address::AddressRefusal> {
    let ascii = idna::domain_to_ascii(text).map_err(|_| sealpost_domain::address::AddressRefusal::BadDomain)?;
    DomainName::parse(&ascii)
}

/// Takes the steps that are still missing, so that a command that was cut off can be given again.
async fn complete(
    parts: &ControlParts,
    account: AccountId,
    metadata: &Arc<Metadata>,
    domain: &DomainName,
) -> Result<(), Fault> {
    let known = domains(parts, account, metadata.clone()).await?;
    let view = known.iter().find(|view| view.domain == *domain);
    if view.is_some_and(|view| view.verified && view.dkim.is_some()) {
        return Err(Fault::from(ErrorCode::AlreadyExists).with_detail("The domain was added already"));
    }
    let give = async |command| -> Result<(), Admission> {
        parts
            .front
            .accounts
            .manage(account, metadata.clone(), Manage::Domain(domain.clone(), command))
            .await
            .map(drop)
    };
    if view.is_none() {
        give(SendingDomainCommand::AddDomain { domain: domain.clone() }).await?;
    }
    if view.is_none_or(|view| !view.verified) {
        give(SendingDomainCommand::VerifyOwnership {
            proof: OwnershipProof::Operator,
        })
        .await?;
    }
    if view.is_none_or(|view| view.dkim.is_none()) {
        let minted = mint(parts, domain).await?;
        let selector = minted.selector.clone();
        let key = DkimKey {
            selector: minted.selector,
            algorithm: minted.algorithm,
            public_key: minted.public_key,
            private_key: Personal::Known(minted.private_key.as_str().to_owned()),
        };
        give(SendingDomainCommand::CreateDkimKey(Box::new(key))).await?;
        give(SendingDomainCommand::ActivateDkimKey { selector }).await?;
    }
    Ok(())
}

async fn mint(parts: &ControlParts, domain: &DomainName) -> Result<MintedDkim, Fault> {
    let (mint, domain) = (parts.dkim.clone(), domain.clone());
    let work = move || {
        mint.mint(&domain)
            .map_err(|failure| Fault::of_failure(ErrorCode::Internal, "making a DKIM key", &failure))
    };
    parts.front.desk.work().run(work).await
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
    let dkim = view.dkim.as_ref().map(|(selector, public_key)| {
        let (name, text) = parts.dkim.record(&view.domain, selector, public_key);
        json!({ "selector": selector, "record_name": name, "record_text": text })
    });
    json!({ "domain": view.domain, "verified": view.verified, "dkim": dkim })
}
